import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { canonicalCodes, codeLengths } from "./huffman.js";

/** Of a complete code, 1 exactly. */
const kraftSum = (lengths: Uint8Array) => lengths.reduce((sum, length) => (length === 0 ? sum : sum + 2 ** -length), 0);

describe("prefix codes", () => {
  it("are complete and within the limit, whatever the frequencies", () => {
    const frequency = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2 ** 31 }));
    fc.assert(
      fc.property(fc.array(frequency, { minLength: 2, maxLength: 286, size: "max" }), fc.constantFrom(9, 15), (frequencies, limit) => {
        const lengths = codeLengths(Uint32Array.from(frequencies), limit);
        assert.equal(kraftSum(lengths), 1);
        assert.ok(lengths.every((length) => length <= limit));
        assert.ok(frequencies.every((times, symbol) => times === 0 || (lengths[symbol] ?? 0) > 0));
      }),
    );
  });

  it("are flattened when they would be too long", () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 30) fibonacci.push((fibonacci.at(-1) ?? 0) + (fibonacci.at(-2) ?? 0));
    const lengths = codeLengths(Uint32Array.from(fibonacci), 15);
    assert.equal(Math.max(...lengths), 15);
    assert.equal(kraftSum(lengths), 1);
  });

  it("are as short as Huffman's", () => {
    assert.deepEqual([...codeLengths(Uint32Array.of(0, 5, 9, 12, 13, 16, 45), 15)], [0, 4, 4, 3, 3, 3, 1]);
  });

  it("have two symbols when none or one occurs", () => {
    assert.deepEqual([...codeLengths(new Uint32Array(4), 7)], [1, 1, 0, 0]);
    assert.deepEqual([...codeLengths(Uint32Array.of(0, 0, 7, 0), 7)], [1, 0, 1, 0]);
  });

  it("are numbered as in the example of RFC 1951 section 3.2.2, with their bits reversed", () => {
    const codes = canonicalCodes(Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4));
    const forwards = [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111];
    const lengths = [3, 3, 3, 3, 3, 2, 4, 4];
    const reversed = forwards.map((code, i) => Number.parseInt([...code.toString(2).padStart(lengths[i] ?? 0, "0")].reverse().join(""), 2));
    assert.deepEqual([...codes], reversed);
  });
});
