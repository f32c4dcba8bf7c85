import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clipEdge } from "./clip.js";

function clip(x1: number, y1: number, x2: number, y2: number) {
  const edge = { x1, y1, x2, y2 };
  const visible = clipEdge(edge, 9, 9);
  return { visible, ends: [edge.x1, edge.y1, edge.x2, edge.y2] };
}

describe("clipping an edge to an image of 10 x 10", () => {
  it("leaves an edge inside alone", () => {
    assert.deepEqual(clip(0, 0, 9, 9), { visible: true, ends: [0, 0, 9, 9] });
  });

  it("leaves an edge alone whose ends share an outer side", () => {
    const pairs: [number, number, number, number][] = [
      [-1, 3, -5, 6],
      [10, 3, 20, 6],
      [3, -1, 6, -9],
      [3, 10, 6, 30],
    ];
    for (const ends of pairs) {
      assert.deepEqual(clip(...ends), { visible: false, ends });
    }
  });

  it("truncates towards zero on either side", () => {
    assert.deepEqual(clip(5, -3, 0, 4), { visible: true, ends: [3, 0, 0, 4] }, "5 - trunc(2.14)");
    assert.deepEqual(clip(4, -3, 9, 4), { visible: true, ends: [6, 0, 9, 4] }, "4 + trunc(2.14)");
    assert.deepEqual(clip(-3, 5, 4, 0), { visible: true, ends: [0, 3, 4, 0] });
  });

  it("uses the moved first end for the second one", () => {
    assert.deepEqual(clip(1, -7, 8, 15), { visible: true, ends: [3, 0, 6, 9] }, "unmoved, the second end would be 8 - trunc(1.909) = 7");
  });

  it("draws nothing past a corner, and leaves the ends where the rows cut them", () => {
    assert.deepEqual(clip(-20, 5, 3, -2), { visible: false, ends: [-20, 5, -3, 0] });
  });

  it("cuts the ends of 32 bits", () => {
    const most = 2 ** 31 - 1;
    assert.deepEqual(clip(-(2 ** 31), -(2 ** 31), most, most), { visible: true, ends: [0, 0, 9, 9] });
  });
});
