import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import sharp from "sharp";
import { Painter } from "../../services/rasterizer/paint.js";
import { RunPngEncoder } from "../../services/rasterizer/png-runs.js";
import { type GoldenCase, goldenCases, goldenScene, smallGoldenCases } from "./golden-cases.js";
import { paintPixels, showRows } from "./pixels.js";

const painter = new Painter();
const encoder = new RunPngEncoder();
const cases = goldenCases();

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Colours whose channels differ and from which the gray value can be read again. */
const colourOf = (value: number) => (value === 0 ? 0 : (value << 16) | ((255 - value) << 8) | (value ^ 0x5a));

function encode(golden: GoldenCase, bytesPerPixel: 1 | 3): Uint8Array {
  const { scene, values } = goldenScene(golden);
  const { width, height } = golden;
  encoder.start({ width, height, bytesPerPixel, values: bytesPerPixel === 1 ? values : values.map(colourOf) });
  painter.paint(scene, (row, above) => encoder.row(row, above));
  return encoder.finish();
}

/** The bytes of the pixels; warnings of the decoder are failures. */
async function decode(png: Uint8Array, bytesPerPixel: 1 | 3): Promise<Uint8Array> {
  const image = sharp(png, { failOn: "warning", limitInputPixels: false });
  const { channels, depth } = await image.metadata();
  assert.deepEqual([channels, depth], [bytesPerPixel, "uchar"]);
  return image
    .toColourspace(bytesPerPixel === 1 ? "b-w" : "srgb")
    .raw()
    .toBuffer();
}

describe("masks that OpenCV drew", () => {
  it("has all of them", () => {
    assert.equal(cases.length, 404);
    assert.equal(smallGoldenCases().length, 12);
  });

  for (const golden of smallGoldenCases()) {
    it(`${golden.id}, pixel by pixel`, () => {
      const { scene, values } = goldenScene(golden);
      const pixels = paintPixels(painter, scene, values);
      const difference = showRows(pixels, golden.width, golden.rows ?? []);
      assert.ok(!difference.includes("!"), `${golden.id} differs:\n${difference}`);
    });
  }

  it("are painted alike, by their SHA-256", () => {
    const different = cases.filter((golden) => {
      const { scene, values } = goldenScene(golden);
      return sha256(paintPixels(painter, scene, values)) !== golden.sha256;
    });
    assert.deepEqual(
      different.map(({ id }) => id),
      [],
    );
  });

  it("are painted alike in bands of a few rows, as masks with very many edges are", () => {
    const inBands = new Painter(300);
    const different = cases.filter((golden) => {
      const { scene, values } = goldenScene(golden);
      return sha256(paintPixels(inBands, scene, values)) !== golden.sha256;
    });
    assert.deepEqual(
      different.map(({ id }) => id),
      [],
    );
  });

  it("are the same after encoding and decoding by sharp, gray", async () => {
    for (const golden of cases) {
      assert.equal(sha256(await decode(encode(golden, 1), 1)), golden.sha256, golden.id);
    }
  });

  it("are the same after encoding and decoding by sharp, RGB", async () => {
    for (const golden of cases) {
      const data = await decode(encode(golden, 3), 3);
      const values = new Uint8Array(golden.width * golden.height);
      let foreign = 0;
      for (let pixel = 0; pixel < values.length; pixel++) {
        const red = data[pixel * 3] ?? 0;
        const colour = (red << 16) | ((data[pixel * 3 + 1] ?? 0) << 8) | (data[pixel * 3 + 2] ?? 0);
        if (colour !== colourOf(red)) foreign++;
        values[pixel] = red;
      }
      assert.equal(foreign, 0, `${golden.id}: pixels of a colour that is no class`);
      assert.equal(sha256(values), golden.sha256, golden.id);
    }
  });
});
