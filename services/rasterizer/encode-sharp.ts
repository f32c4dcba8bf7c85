/**
 * The reference encoder: whole images of pixels through sharp (libvips). Slower and with larger files than png-runs.ts; it is there to
 * compare with, and as a way out (`PNG_ENCODER=sharp`). The only import of sharp.
 */
import sharp from "sharp";
import { type PngEncoder, type PngFormat, PngTooLarge } from "./png-format.js";
import type { RowRuns } from "./row-runs.js";

/** zlib's level; the one that sharp takes by itself. */
const COMPRESSION_LEVEL = 6;

/** Encodes one image after the other. */
export class SharpPngEncoder implements PngEncoder {
  #format: PngFormat = { width: 0, height: 0, bytesPerPixel: 1, values: [] };
  #pixels = new Uint8Array(0);
  #used = 0;
  readonly #maxBytes: number;

  /** @param maxBytes of a file */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  get heldBytes(): number {
    return this.#pixels.byteLength;
  }

  start(format: PngFormat): void {
    this.#format = format;
    this.#pixels = new Uint8Array(format.width * format.height * format.bytesPerPixel);
    this.#used = 0;
  }

  row({ end, label, count }: RowRuns): void {
    const { values } = this.#format;
    let column = 0;
    for (let run = 0; run < count; run++) {
      this.#fill(values[label[run] as number] as number, (end[run] as number) - column);
      column = end[run] as number;
    }
  }

  async finish(): Promise<Uint8Array> {
    const { width, height, bytesPerPixel } = this.#format;
    const image = sharp(this.#pixels, { raw: { width, height, channels: bytesPerPixel }, limitInputPixels: false });
    this.#pixels = new Uint8Array(0);
    // Without a colour space sharp writes gray as RGB.
    const file = await image
      .toColourspace(bytesPerPixel === 1 ? "b-w" : "srgb")
      .png({ compressionLevel: COMPRESSION_LEVEL })
      .toBuffer();
    if (file.length > this.#maxBytes) throw new PngTooLarge();
    return file;
  }

  #fill(value: number, pixels: number): void {
    if (this.#format.bytesPerPixel === 1) {
      this.#pixels.fill(value, this.#used, this.#used + pixels);
      this.#used += pixels;
      return;
    }
    for (let pixel = 0; pixel < pixels; pixel++) {
      this.#pixels[this.#used++] = value >> 16;
      this.#pixels[this.#used++] = value >> 8;
      this.#pixels[this.#used++] = value;
    }
  }
}
