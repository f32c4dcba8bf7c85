import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { chunkCrc, pixelSums, RowAdler } from "./checksums.js";
import { RowRuns } from "./row-runs.js";

/** RFC 1950 section 8.2, byte by byte. */
function adler32(bytes: Iterable<number>): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

describe("checksums", () => {
  it("advances Adler-32 over runs as byte by byte", () => {
    const run = fc.tuple(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 9000 })), fc.nat(3));
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(1, 3),
        fc.array(fc.nat(0xffffff), { minLength: 4 }),
        (runs, bytesPerPixel, colours) => {
          const values = bytesPerPixel === 1 ? colours.map((colour) => colour & 0xff) : colours;
          const row = new RowRuns();
          const bytes = [0];
          let column = 0;
          for (const [length, label] of runs) {
            column += length;
            row.push(column, label);
            const value = values[label] ?? 0;
            for (let i = 0; i < length; i++)
              bytes.push(...(bytesPerPixel === 1 ? [value] : [value >> 16, (value >> 8) & 0xff, value & 0xff]));
          }
          const adler = new RowAdler();
          const sums = values.map((value) => pixelSums(value, bytesPerPixel));
          for (let rows = 0; rows < 3; rows++) adler.addRow(row, sums, bytesPerPixel);
          assert.equal(adler.value(), adler32([...bytes, ...bytes, ...bytes]));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("stays exact over the widest white row", () => {
    const row = new RowRuns();
    row.push(2 ** 20, 0);
    const adler = new RowAdler();
    adler.addRow(row, [pixelSums(0xffffff, 3)], 3);
    function* bytes() {
      yield 0;
      for (let i = 0; i < 3 * 2 ** 20; i++) yield 255;
    }
    assert.equal(adler.value(), adler32(bytes()));
  });

  it("has the CRC of an IEND chunk", () => {
    assert.equal(chunkCrc(Buffer.from("IEND")), 0xae426082);
  });
});
