import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clipEdge } from "./clip.js";
import { addCrossings } from "./interior.js";
import { addLine } from "./outline.js";
import { CrossingLists, RunLists } from "./row-lists.js";

const IMAGE = { first: 0, end: 10 };
const FAR = 2 ** 31 - 1;

/** How many crossings and runs an edge leaves behind, on an image of 10 x 10: one for each row that is looked at. */
function handled(x1: number, y1: number, x2: number, y2: number): readonly [crossings: number, runs: number] {
  const edge = { x1, y1, x2, y2 };
  const clipped = { ...edge };
  const crossings = new CrossingLists();
  const runs = new RunLists();
  crossings.reset(10, 100);
  runs.reset(10, 100);
  if (clipEdge(clipped, 9, 9)) addLine(runs, IMAGE, clipped.x1, clipped.y1, clipped.x2, clipped.y2);
  addCrossings(crossings, IMAGE, edge, clipped);
  return [crossings.count, runs.count];
}

describe("an edge with an end far away", () => {
  it("is only looked at on the rows of the image", () => {
    assert.deepEqual(handled(5, -FAR, 5, FAR), [10, 10]);
    assert.deepEqual(handled(5, FAR, 5, -FAR), [10, 10]);
    assert.deepEqual(handled(5, -FAR, 5, 3), [3, 4], "its lower end");
    assert.deepEqual(handled(5, FAR, 5, 3), [7, 7], "its upper end");
  });

  it("is nothing above or below the image", () => {
    assert.deepEqual(handled(5, -FAR, 5, -1), [0, 0]);
    assert.deepEqual(handled(5, 10, 5, FAR), [0, 0]);
  });

  it("only has crossings beside it, for these decide what is inside", () => {
    assert.deepEqual(handled(-FAR, -FAR, -FAR, FAR), [10, 0]);
  });
});
