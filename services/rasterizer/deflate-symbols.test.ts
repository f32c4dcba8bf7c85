import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeDistance, codeLength } from "./deflate-symbols.js";

/** RFC 1951 section 3.2.5: by symbol from 257, extra bits and first length. */
const LENGTHS = [
  [0, 3],
  [0, 4],
  [0, 5],
  [0, 6],
  [0, 7],
  [0, 8],
  [0, 9],
  [0, 10],
  [1, 11],
  [1, 13],
  [1, 15],
  [1, 17],
  [2, 19],
  [2, 23],
  [2, 27],
  [2, 31],
  [3, 35],
  [3, 43],
  [3, 51],
  [3, 59],
  [4, 67],
  [4, 83],
  [4, 99],
  [4, 115],
  [5, 131],
  [5, 163],
  [5, 195],
  [5, 227],
  [0, 258],
] as const;
/** By symbol from 0, extra bits and first distance. */
const DISTANCES = [
  [0, 1],
  [0, 2],
  [0, 3],
  [0, 4],
  [1, 5],
  [1, 7],
  [2, 9],
  [2, 13],
  [3, 17],
  [3, 25],
  [4, 33],
  [4, 49],
  [5, 65],
  [5, 97],
  [6, 129],
  [6, 193],
  [7, 257],
  [7, 385],
  [8, 513],
  [8, 769],
  [9, 1025],
  [9, 1537],
  [10, 2049],
  [10, 3073],
  [11, 4097],
  [11, 6145],
  [12, 8193],
  [12, 12289],
  [13, 16385],
  [13, 24577],
] as const;

/** The last line of the table that starts at or before the value. */
function lookUp(table: readonly (readonly [number, number])[], value: number, firstSymbol: number) {
  const index = table.findLastIndex(([, first]) => first <= value);
  const [extraBits, first] = table[index] ?? [0, 0];
  return { symbol: firstSymbol + index, extra: value - first, extraBits };
}

describe("the symbols of deflate", () => {
  it("code every length as the table of the RFC", () => {
    for (let length = 3; length <= 258; length++) assert.deepEqual(codeLength(length), lookUp(LENGTHS, length, 257), `length ${length}`);
  });

  it("code every distance as the table of the RFC", () => {
    for (let distance = 1; distance <= 32768; distance++) {
      assert.deepEqual(codeDistance(distance), lookUp(DISTANCES, distance, 0), `distance ${distance}`);
    }
  });
});
