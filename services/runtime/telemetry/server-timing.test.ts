import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTiming, withTiming } from "./server-timing.js";

test("what each step took is added to the header, and read back", () => {
  const header = withTiming(withTiming(undefined, "filter", 1.23), "raster", 35);
  assert.equal(header, "filter;dur=1.2, raster;dur=35");
  assert.deepEqual(
    [...parseTiming(header)],
    [
      ["filter", 1.2],
      ["raster", 35],
    ],
  );
});

test("what is no header of ours tells nothing", () => {
  for (const header of [undefined, "", "filter", "__proto__;dur=1", "filter;dur=-1", "a;dur=1e9"])
    assert.equal(parseTiming(header).size, 0);
  assert.deepEqual([...parseTiming("constructor;dur=2")], [["constructor", 2]]);
});

test("the header does not grow with whatever comes in", () => {
  assert.equal(withTiming("x".repeat(10_000), "filter", 1), "filter;dur=1");
});
