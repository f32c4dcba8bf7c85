import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { countDeltas, decodeDeltas, encodeDeltas } from "./deltas.js";

const numbers = fc.array(fc.oneof(fc.integer(), fc.integer({ min: -70, max: 70 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31))));

describe("the deltas of a contour", () => {
  it("are the bytes that Protocol Buffers has for packed sint32", () => {
    fc.assert(
      fc.property(numbers, (deltas) => {
        const writer = new BinaryWriter();
        for (const delta of deltas) writer.sint32(delta);
        assert.deepEqual(Uint8Array.from(encodeDeltas(deltas)), writer.finish());
      }),
    );
  });

  it("come back as they were", () => {
    fc.assert(
      fc.property(numbers, (deltas) => {
        const bytes = encodeDeltas(deltas);
        assert.equal(countDeltas(bytes), deltas.length);
        assert.deepEqual([...decodeDeltas(bytes)], deltas);
        const reader = new BinaryReader(bytes);
        assert.deepEqual(
          deltas.map(() => reader.sint32()),
          deltas,
        );
      }),
    );
  });

  it("are none when a number is cut off, or has more than 32 bits", () => {
    for (const bytes of [[0x80], [1, 2, 0xff], [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]]) {
      assert.equal(countDeltas(Uint8Array.from(bytes)), undefined);
      assert.equal(decodeDeltas(Uint8Array.from(bytes)).length, 0);
    }
  });
});
