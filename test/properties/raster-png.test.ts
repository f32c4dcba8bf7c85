import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inflateSync } from "node:zlib";
import * as fc from "fast-check";
import sharp from "sharp";
import { SharpPngEncoder } from "../../services/rasterizer/encode-sharp.js";
import type { PngEncoder, PngFormat } from "../../services/rasterizer/png-format.js";
import { RunPngEncoder } from "../../services/rasterizer/png-runs.js";
import { RowRuns } from "../../services/rasterizer/row-runs.js";

/** An image as runs: a row is lengths and labels, and may be repeated. */
interface RunImage {
  readonly format: PngFormat;
  readonly rows: readonly (readonly { readonly end: number; readonly label: number }[])[];
}

/** Widths around what a match, a row's distance and its lengths turn on. */
const width = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 80, max: 92 }),
  fc.integer({ min: 250, max: 270 }),
  fc.integer({ min: 510, max: 530 }),
  fc.integer({ min: 10_915, max: 10_930 }),
  fc.integer({ min: 32_755, max: 32_775 }),
);

const values = (bytesPerPixel: 1 | 3) =>
  fc
    .uniqueArray(fc.integer({ min: 1, max: bytesPerPixel === 1 ? 0xff : 0xffffff }), { minLength: 0, maxLength: 255, size: "max" })
    .map((painted) => [0, ...painted]);

function row(pixels: number, labels: number): fc.Arbitrary<{ end: number; label: number }[]> {
  const run = fc.tuple(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: Math.max(1, pixels) })), fc.nat(labels - 1));
  return fc.array(run, { maxLength: 30 }).map((runs) => {
    const painted: { end: number; label: number }[] = [];
    let column = 0;
    for (const [length, label] of [...runs, [pixels, 0] as const]) {
      const end = Math.min(pixels, column + length);
      const last = painted.at(-1);
      if (end === column) break;
      if (last?.label === label) last.end = end;
      else painted.push({ end, label });
      column = end;
    }
    return painted;
  });
}

/** Rows repeat, and shift by a few pixels, as those of masks do. */
const image: fc.Arbitrary<RunImage> = fc.tuple(width, fc.constantFrom(1 as const, 3 as const)).chain(([pixels, bytesPerPixel]) =>
  values(bytesPerPixel).chain((labels) =>
    fc
      .array(fc.tuple(row(pixels, labels.length), fc.integer({ min: 1, max: 4 }), fc.integer({ min: -3, max: 3 })), {
        minLength: 1,
        maxLength: 5,
      })
      .map((groups) => {
        const rows = groups.flatMap(([runs, times, shift]) =>
          Array.from({ length: times }, (_, time) => shifted(runs, shift * time, pixels)),
        );
        return { format: { width: pixels, height: rows.length, bytesPerPixel, values: labels }, rows };
      }),
  ),
);

function shifted(runs: readonly { end: number; label: number }[], by: number, pixels: number) {
  const moved = runs.map(({ end, label }) => ({ end: end === pixels ? pixels : Math.min(pixels, Math.max(0, end + by)), label }));
  return moved.filter(({ end }, i) => end > Math.max(0, ...moved.slice(0, i).map((before) => before.end)));
}

function encodeWith(encoder: PngEncoder, { format, rows }: RunImage) {
  let current = new RowRuns();
  let above = new RowRuns();
  encoder.start(format);
  for (const runs of rows) {
    current.reset(runs.length);
    for (const { end, label } of runs) current.push(end, label);
    encoder.row(current, above);
    [current, above] = [above, current];
  }
  return encoder.finish();
}

/** What the deflate stream must hold: a filter byte 0 and the pixels of each row. */
function scanlines({ format: { width: pixels, bytesPerPixel, values: colours }, rows }: RunImage): Buffer {
  const bytes = Buffer.alloc(rows.length * (1 + pixels * bytesPerPixel));
  let at = 0;
  for (const runs of rows) {
    at++;
    let column = 0;
    for (const { end, label } of runs) {
      for (; column < end; column++) {
        bytes.writeUIntBE(colours[label] ?? 0, at, bytesPerPixel);
        at += bytesPerPixel;
      }
    }
  }
  return bytes;
}

/** Type and data of each chunk; the lengths must add up to the file. */
function chunksOf(png: Uint8Array): { readonly type: string; readonly data: Buffer }[] {
  const file = Buffer.from(png);
  const chunks: { type: string; data: Buffer }[] = [];
  let at = 8;
  while (at < file.length) {
    const length = file.readUInt32BE(at);
    chunks.push({ type: file.toString("latin1", at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  assert.equal(at, file.length);
  return chunks;
}

/** zlib checks the codes, the distances and Adler-32. */
function assertInflates(png: Uint8Array, drawn: RunImage): void {
  const [header, data, end, ...rest] = chunksOf(png);
  assert.deepEqual([header?.type, data?.type, end?.type, rest.length], ["IHDR", "IDAT", "IEND", 0]);
  assert.ok(inflateSync(data?.data ?? Buffer.alloc(0)).equals(scanlines(drawn)), "the pixels differ");
}

const encoder = new RunPngEncoder();

describe("PNG files written from runs", () => {
  it("hold the pixels of the rows, says zlib", () => {
    fc.assert(
      fc.property(image, (drawn) => assertInflates(encodeWith(encoder, drawn) as Uint8Array, drawn)),
      { numRuns: 300 },
    );
  });

  it("hold them in many deflate blocks, too", () => {
    fc.assert(
      fc.property(image, fc.integer({ min: 1, max: 60 }), (drawn, tokens) => {
        assertInflates(encodeWith(new RunPngEncoder(Number.POSITIVE_INFINITY, tokens), drawn) as Uint8Array, drawn);
      }),
      { numRuns: 150 },
    );
  });

  it("are read by sharp without a warning, as what they are", async () => {
    await fc.assert(
      fc.asyncProperty(image, async (drawn) => {
        const { width: pixels, bytesPerPixel } = drawn.format;
        const file = sharp(encodeWith(encoder, drawn) as Uint8Array, { failOn: "warning" });
        const { channels, width: readWidth, height, format } = await file.metadata();
        assert.deepEqual([channels, readWidth, height, format], [bytesPerPixel, pixels, drawn.rows.length, "png"]);
        const space = bytesPerPixel === 1 ? "b-w" : "srgb";
        const decoded = await file.toColourspace(space).raw().toBuffer();
        const expected = scanlines(drawn);
        const rowBytes = pixels * bytesPerPixel;
        for (let y = 0; y < drawn.rows.length; y++) {
          const start = y * (rowBytes + 1) + 1;
          assert.ok(decoded.subarray(y * rowBytes, (y + 1) * rowBytes).equals(expected.subarray(start, start + rowBytes)), `row ${y}`);
        }
      }),
      { numRuns: 120 },
    );
  });

  it("are the same for the same rows, whatever was encoded before", () => {
    fc.assert(
      fc.property(image, (drawn) => {
        assert.deepEqual(encodeWith(encoder, drawn), encodeWith(new RunPngEncoder(), drawn));
      }),
      { numRuns: 50 },
    );
  });

  it("show the same pixels as those of the reference encoder", async () => {
    const reference = new SharpPngEncoder();
    await fc.assert(
      fc.asyncProperty(image, async (drawn) => {
        const [ours, theirs] = [await encodeWith(encoder, drawn), await encodeWith(reference, drawn)];
        const pixelsOf = (png: Uint8Array) => sharp(png).raw().toBuffer();
        assert.ok((await pixelsOf(ours)).equals(await pixelsOf(theirs)));
        assert.equal((await sharp(theirs).metadata()).channels, drawn.format.bytesPerPixel);
      }),
      { numRuns: 60 },
    );
  });
});
