/** From rows of runs to the pixels that other programs speak of. */
import type { Painter } from "../../services/rasterizer/paint.js";
import type { Scene } from "../../services/rasterizer/scene.js";

/** One byte a pixel: the value of its label. */
export function paintPixels(painter: Painter, scene: Scene, values: readonly number[]): Uint8Array {
  const pixels = new Uint8Array(scene.width * scene.height);
  let row = 0;
  painter.paint(scene, ({ end, label, count }) => {
    let column = 0;
    for (let run = 0; run < count; run++) {
      const runEnd = end[run] ?? 0;
      pixels.fill(values[label[run] ?? 0] ?? 0, row + column, row + runEnd);
      column = runEnd;
    }
    row += scene.width;
  });
  return pixels;
}

/** The mask as rows of digits, with what was expected beside where a row differs. */
export function showRows(pixels: Uint8Array, width: number, expected: readonly string[]): string {
  return expected
    .map((row, y) => {
      const actual = Array.from(pixels.subarray(y * width, (y + 1) * width), String).join("");
      return actual === row ? `  ${row}` : `! ${row} expected\n! ${actual} painted`;
    })
    .join("\n");
}
