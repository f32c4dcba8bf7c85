import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c } from "./crc32c.js";

const hex = (bytes: Uint8Array) => crc32c([bytes]).toString(16);

describe("CRC-32C", () => {
  it("is the one of RFC 3720, appendix B.4", () => {
    assert.equal(hex(Buffer.alloc(32)), "8a9136aa");
    assert.equal(hex(Buffer.alloc(32, 0xff)), "62a8ab43");
    assert.equal(hex(Uint8Array.from({ length: 32 }, (_, index) => index)), "46dd794e");
    assert.equal(hex(Buffer.from("123456789")), "e3069283");
  });

  it("is the same however the bytes are cut into pieces", () => {
    const bytes = Uint8Array.from({ length: 61 }, (_, index) => index * 37);
    const whole = crc32c([bytes]);
    for (let cut = 0; cut <= bytes.length; cut++) assert.equal(crc32c([bytes.subarray(0, cut), bytes.subarray(cut)]), whole);
  });
});
