import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addLine, type Band } from "./outline.js";
import { RunLists } from "./row-lists.js";

/** Runs as [row, first, last], by row. */
function line(x1: number, y1: number, x2: number, y2: number, band: Band = { first: 0, end: 20 }): number[][] {
  const lists = new RunLists();
  lists.reset(band.end - band.first, 100);
  addLine(lists, band, x1, y1, x2, y2);
  const runs: number[][] = [];
  for (let row = band.first; row < band.end; row++) {
    for (let item = lists.head[row - band.first] ?? -1; item >= 0; item = lists.next[item] ?? -1) {
      runs.push([row, lists.start[item] ?? -1, lists.end[item] ?? -1]);
    }
  }
  return runs;
}

describe("the line of an edge", () => {
  it("is one pixel when it has no length", () => {
    assert.deepEqual(line(3, 4, 3, 4), [[4, 3, 3]]);
  });

  it("is one run when it is level", () => {
    assert.deepEqual(line(9, 2, 3, 2), [[2, 3, 9]]);
  });

  it("gives exact halves of a flat line to the left end", () => {
    assert.deepEqual(line(0, 0, 4, 2), [
      [0, 0, 1],
      [1, 2, 3],
      [2, 4, 4],
    ]);
  });

  it("gives exact halves of a steep line to the left end", () => {
    assert.deepEqual(
      line(2, 0, 4, 4).map(([, first]) => first),
      [2, 2, 3, 3, 4],
    );
  });

  it("is the same in either direction, upwards too", () => {
    for (const [dx, dy] of [
      [7, 3],
      [3, 7],
      [5, 5],
      [0, 6],
      [8, 4],
    ] as const) {
      assert.deepEqual(line(1, 2, 1 + dx, 2 + dy), line(1 + dx, 2 + dy, 1, 2));
      assert.deepEqual(line(1, 2 + dy, 1 + dx, 2), line(1 + dx, 2, 1, 2 + dy));
    }
  });

  it("has the same rows when only a band of it is followed", () => {
    const lines: [number, number, number, number][] = [
      [1, 2, 17, 9],
      [1, 9, 17, 2],
      [4, 1, 7, 18],
      [4, 18, 7, 1],
    ];
    for (const ends of lines) {
      const whole = line(...ends);
      for (let first = 0; first < 20; first++) {
        const band = { first, end: Math.min(20, first + 3) };
        assert.deepEqual(
          line(...ends, band),
          whole.filter(([row = -1]) => row >= band.first && row < band.end),
        );
      }
    }
  });
});
