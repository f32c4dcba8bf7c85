import assert from "node:assert/strict";
import { test } from "node:test";
import sharp from "sharp";
import { fitText, lettering, textWidth } from "./lettering.js";

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));

test("every printable ASCII character has its own strokes within its width", async () => {
  const drawings = new Set<string>();
  for (const letter of PRINTABLE) {
    const width = Math.ceil(textWidth(letter, 40)) + 20;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="90">${lettering(letter, 10, 60, { height: 40, colour: "#fff" })}</svg>`;
    const pixels = await sharp(Buffer.from(svg)).extractChannel("alpha").raw().toBuffer();
    drawings.add(pixels.toString("latin1"));
    for (let row = 0; row < 90; row++) {
      const edges = [pixels[row * width], pixels[row * width + width - 1]];
      assert.deepEqual(edges, [0, 0], `${JSON.stringify(letter)} reaches out of its width`);
    }
  }
  assert.equal(drawings.size, PRINTABLE.length);
});

test("a text is cut to its place", () => {
  assert.equal(fitText("short", 200, 12), "short");
  const cut = fitText("a much longer name than fits.webp", 100, 12);
  assert.match(cut, /^a much.*\.\.\.$/);
  assert.ok(textWidth(cut, 12) <= 100);
});
