import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { BitWriter } from "./bit-writer.js";
import { RunDeflater } from "./deflate-runs.js";

type Part = { readonly literal: number } | { readonly slot: number; readonly bytes: number };

/** Deflates the parts, and tells what they stand for; matches that reach before the start are left out. */
function deflate(distances: readonly number[], parts: readonly Part[], tokensPerBlock?: number) {
  const out = new BitWriter();
  const deflater = new RunDeflater(out, tokensPerBlock);
  const meant: number[] = [];
  deflater.start(distances);
  for (const part of parts) {
    if ("literal" in part) {
      deflater.literal(part.literal);
      meant.push(part.literal);
      continue;
    }
    const distance = distances[part.slot - 1] ?? 0;
    if (distance > meant.length) continue;
    for (let byte = 0; byte < part.bytes; byte++) meant.push(meant[meant.length - distance] ?? -1);
    const left = deflater.matches(part.slot, part.bytes);
    for (const byte of left === 0 ? [] : meant.slice(-left)) deflater.literal(byte);
  }
  deflater.finish();
  return { deflated: out.bytes.subarray(0, out.length), meant: Buffer.from(meant) };
}

const part = fc.oneof(
  fc.record({ literal: fc.nat(255) }),
  fc.record({ slot: fc.integer({ min: 1, max: 3 }), bytes: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 250, max: 1200 })) }),
);

describe("a deflate stream from literals and matches", () => {
  it("is read by zlib as what was meant, in one block and in many", () => {
    const distances = fc.constantFrom([1, 3, 50], [3, 200, 1], [2, 24_577, 32_768]);
    fc.assert(
      fc.property(distances, fc.array(part, { maxLength: 80, size: "max" }), fc.integer({ min: 1, max: 50 }), (slots, parts, tokens) => {
        for (const perBlock of [undefined, tokens]) {
          const { deflated, meant } = deflate(slots, parts, perBlock);
          assert.ok(inflateRawSync(deflated).equals(meant));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("holds nothing of one before it that was not finished", () => {
    const out = new BitWriter();
    const deflater = new RunDeflater(out);
    deflater.start([1]);
    deflater.literal(1);
    deflater.match(1, 9);
    deflater.start([1]);
    deflater.literal(2);
    deflater.finish();
    assert.deepEqual([...inflateRawSync(out.bytes.subarray(0, out.length))], [2]);
  });

  it("may be empty", () => {
    const { deflated } = deflate([1], []);
    assert.equal(inflateRawSync(deflated).length, 0);
  });

  it("reaches as far back as deflate can", () => {
    const literals = Array.from({ length: 32_768 }, (_, i): Part => ({ literal: (i * 7919) % 251 }));
    const { deflated, meant } = deflate([32_768], [...literals, { slot: 1, bytes: 70_000 }]);
    assert.ok(inflateRawSync(deflated).equals(meant));
  });

  it("writes a run of many megabytes as a few thousand bytes", () => {
    const { deflated, meant } = deflate([1], [{ literal: 9 }, { slot: 1, bytes: 258 * 40_000 + 5 }]);
    assert.ok(deflated.length < 11_000);
    assert.ok(inflateRawSync(deflated).equals(meant));
  });
});
