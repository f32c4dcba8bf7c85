import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countEdgeRows, planBands } from "./bands.js";

/** 4 x 10 pixels; each upright edge reaches 10 rows, each level one a single row. */
const box = Int32Array.of(0, 0, 3, 0, 3, 9, 0, 9);

describe("bands of rows", () => {
  it("are one when all edges fit", () => {
    assert.deepEqual(planBands([box, box], 10, 44), [{ first: 0, end: 10 }]);
  });

  it("hold as many rows as their edges allow, and at least one", () => {
    assert.deepEqual(planBands([box], 10, 7), [
      { first: 0, end: 3 },
      { first: 3, end: 6 },
      { first: 6, end: 9 },
      { first: 9, end: 10 },
    ]);
    assert.equal(planBands([box, box], 10, 1).length, 10);
  });

  it("count only rows of the image", () => {
    assert.equal(countEdgeRows([box], 10), 22);
    assert.equal(countEdgeRows([box], 4), 9);
    assert.equal(countEdgeRows([Int32Array.of(0, -(2 ** 31), 1, 2 ** 31 - 1)], 10), 20);
    assert.equal(countEdgeRows([Int32Array.of(0, -5, 9, -1, 5, -9), new Int32Array(0)], 10), 0);
  });
});
