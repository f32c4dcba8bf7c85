import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ColumnSorter } from "./column-sorter.js";

const item = fc.tuple(fc.oneof(fc.nat(60), fc.nat(5_000), fc.nat(2 ** 21)), fc.nat(2 ** 20));
/** Few are sorted in another way than many. */
const row = fc.oneof(fc.array(item, { maxLength: 60 }), fc.array(item, { minLength: 49, maxLength: 400, size: "max" }));

describe("the items of a row", () => {
  const sorter = new ColumnSorter();

  it("are sorted by column, each with its value, and only as many as asked", () => {
    fc.assert(
      fc.property(row, (items) => {
        const keys = Int32Array.from([...items.map(([key]) => key), 7, 3]);
        const values = Int32Array.from([...items.map(([, value]) => value), 1, 2]);
        sorter.reserve(items.length);
        sorter.sort(keys, values, items.length);
        const sorted = [...items].sort(([a], [b]) => a - b);
        assert.deepEqual(Array.from(keys), [...sorted.map(([key]) => key), 7, 3]);
        assert.deepEqual(Array.from(values), [...sorted.map(([, value]) => value), 1, 2]);
      }),
    );
  });

  it("may be nothing but columns", () => {
    fc.assert(
      fc.property(row, (items) => {
        const keys = Int32Array.from(items, ([key]) => key);
        sorter.reserve(items.length);
        sorter.sort(keys, keys, items.length);
        assert.deepEqual(keys, Int32Array.from(items, ([key]) => key).sort());
      }),
    );
  });
});
