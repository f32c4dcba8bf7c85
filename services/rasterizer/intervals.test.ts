import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { layOver, STRIDE, unite } from "./intervals.js";

type Interval = readonly [first: number, last: number, label: number];

/** Ascending disjoint intervals within 60 columns. */
const intervalSet = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 })), { maxLength: 8 })
  .map((parts) => {
    let column = 0;
    return parts.map(([gap, length, label]): Interval => {
      const first = column + gap;
      column = first + length;
      return [first, column - 1, label];
    });
  });

function columns(intervals: readonly Interval[]): number[] {
  const labels = new Array<number>(120).fill(0);
  for (const [first, last, label] of intervals) labels.fill(label, first, last + 1);
  return labels;
}

function over(under: readonly Interval[], upper: readonly Interval[]): Interval[] {
  const out = (under.length + upper.length) * STRIDE;
  const arena = new Int32Array(200);
  arena.set([...under, ...upper].flat());
  const count = layOver(arena, 0, under.length, under.length * STRIDE, upper.length, out);
  assert.ok(count <= under.length + 2 * upper.length);
  return Array.from({ length: count }, (_, i): Interval => {
    const [first = 0, last = 0, label = 0] = arena.subarray(out + i * STRIDE, out + (i + 1) * STRIDE);
    return [first, last, label];
  });
}

describe("sets of pixels on a row", () => {
  it("show the upper set where there is one, and else the lower", () => {
    fc.assert(
      fc.property(intervalSet, intervalSet, (under, upper) => {
        const upperColumns = columns(upper);
        assert.deepEqual(
          columns(over(under, upper)),
          columns(under).map((label, column) => upperColumns[column] || label),
        );
      }),
    );
  });

  it("stay ascending and disjoint when laid over each other", () => {
    fc.assert(
      fc.property(intervalSet, intervalSet, (under, upper) => {
        let column = -1;
        for (const [first, last] of over(under, upper)) {
          assert.ok(first > column && last >= first);
          column = last;
        }
      }),
    );
  });

  it("may be laid over each other in any grouping", () => {
    fc.assert(
      fc.property(intervalSet, intervalSet, intervalSet, (a, b, c) => {
        assert.deepEqual(columns(over(over(a, b), c)), columns(over(a, over(b, c))));
      }),
    );
  });

  it("are united from overlapping and touching intervals", () => {
    const pair = fc.tuple(fc.nat(60), fc.nat(4)).map(([first, length]) => [first, first + length] as const);
    const ascending = fc.array(pair, { maxLength: 30 }).map((pairs) => pairs.sort(([a], [b]) => a - b));
    fc.assert(
      fc.property(ascending, (pairs) => {
        const first = Int32Array.from(pairs, ([from]) => from);
        const last = Int32Array.from(pairs, ([, to]) => to);
        const arena = new Int32Array(pairs.length * STRIDE);
        const end = unite(first, last, pairs.length, 7, arena, 0);
        const united: number[] = [];
        for (let i = 0; i < end; i += STRIDE) {
          const from = arena[i] ?? 0;
          const to = arena[i + 1] ?? 0;
          assert.ok(united.length === 0 || from > (united.at(-1) ?? 0) + 1, "a gap lies between any two");
          for (let column = from; column <= to; column++) united.push(column);
        }
        const expected = new Set(pairs.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)));
        assert.deepEqual(
          united,
          [...expected].sort((a, b) => a - b),
        );
      }),
    );
  });
});
