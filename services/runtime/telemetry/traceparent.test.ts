import assert from "node:assert/strict";
import { test } from "node:test";
import { isSampled, isTraceParent, sampled, spanIdOf, traceIdOf, traceParent, unsampled } from "./traceparent.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

test("a context is written as W3C has it, and read back", () => {
  const parent = traceParent(TRACE, SPAN, true);
  assert.equal(parent, `00-${TRACE}-${SPAN}-01`);
  assert.ok(isTraceParent(parent));
  assert.deepEqual([traceIdOf(parent), spanIdOf(parent), isSampled(parent)], [TRACE, SPAN, true]);
});

test("the flag can be set and taken away; nothing else changes", () => {
  const parent = traceParent(TRACE, SPAN, true);
  assert.equal(unsampled(parent), `00-${TRACE}-${SPAN}-00`);
  assert.equal(sampled(unsampled(parent)), parent);
  assert.equal(sampled(parent), parent);
});

for (const [what, text] of Object.entries({
  nothing: undefined,
  "an empty text": "",
  "another version": `01-${TRACE}-${SPAN}-01`,
  "a trace of zeros": `00-${"0".repeat(32)}-${SPAN}-01`,
  "a span of zeros": `00-${TRACE}-${"0".repeat(16)}-01`,
  "capital letters": `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  "more behind it": `00-${TRACE}-${SPAN}-01-x`,
  "a header with a line break": `00-${TRACE}-${SPAN}-01\n`,
})) {
  test(`${what} is no context`, () => assert.equal(isTraceParent(text), false));
}
