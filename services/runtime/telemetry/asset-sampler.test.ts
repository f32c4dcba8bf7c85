import assert from "node:assert/strict";
import { test } from "node:test";
import { createAssetSampler } from "./asset-sampler.js";
import { traceParent } from "./traceparent.js";

const session = (number: number) => traceParent(number.toString(16).padStart(32, "a"), "b7ad6b7169203331", true);

function kept(trace: number, total: number, budget: number): number[] {
  const isKept = createAssetSampler(session(trace), total, budget);
  return Array.from({ length: total }, (_, index) => index).filter(isKept);
}

test("a session with no more assets than the budget keeps all", () => {
  assert.equal(kept(1, 40, 40).length, 40);
});

test("a larger one keeps about the budget, however large it is", () => {
  for (const total of [100, 10_000, 1_000_000]) {
    for (const trace of [1, 2, 77, 0xffffffff]) {
      const { length } = kept(trace, total, 40);
      // Four standard deviations of a binomial distribution around 40.
      assert.ok(length > 40 - 26 && length < 40 + 26, `${length} of ${total}`);
    }
  }
});

test("the same trace keeps the same assets, another trace others", () => {
  assert.deepEqual(kept(5, 10_000, 40), kept(5, 10_000, 40));
  assert.notDeepEqual(kept(5, 10_000, 40), kept(6, 10_000, 40));
});

test("kept assets are spread over the session", () => {
  const tenths = new Set(kept(9, 100_000, 400).map((index) => Math.floor(index / 10_000)));
  assert.equal(tenths.size, 10);
});

test("a budget of 0 keeps none", () => assert.deepEqual(kept(1, 1000, 0), []));
