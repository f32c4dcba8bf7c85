/** The two checksums of a PNG: Adler-32 (RFC 1950 section 8.2), advanced over whole runs, and CRC-32 over the few output bytes. */
import { crc32 } from "node:zlib";
import type { RowRuns } from "./row-runs.js";

const BASE = 65521;

/** CRC-32 of bytes as PNG chunks carry it (PNG specification, section 5.5). */
export function chunkCrc(bytes: Uint8Array): number {
  return crc32(bytes);
}

/** What Adler-32 needs to know of a pixel: the sum of its bytes, and that of each byte times its position in the pixel. */
export interface PixelSums {
  readonly sum: number;
  readonly weighted: number;
}

export function pixelSums(value: number, bytesPerPixel: number): PixelSums {
  if (bytesPerPixel === 1) return { sum: value, weighted: 0 };
  const red = value >> 16;
  const green = (value >> 8) & 0xff;
  const blue = value & 0xff;
  return { sum: red + green + blue, weighted: green + 2 * blue };
}

/** Adler-32 over the rows of an image, each with a filter byte 0 before its pixels. Exact for rows up to 2^20 pixels. */
export class RowAdler {
  #a = 1;
  #b = 0;

  /**
   * Takes a row. A byte at offset o of n counts n - o times in the second sum, so a run's part has a closed form, and zeros have none.
   * @param sums by label
   */
  addRow(row: RowRuns, sums: readonly PixelSums[], bytesPerPixel: number): void {
    const { end, label, count } = row;
    const width = end[count - 1] as number;
    const bytes = 1 + width * bytesPerPixel;
    let rowSum = 0;
    let rowWeighted = 0;
    let column = 0;
    for (let run = 0; run < count; run++) {
      const runEnd = end[run] as number;
      const { sum, weighted } = sums[label[run] as number] as PixelSums;
      if (sum !== 0) {
        const pixels = runEnd - column;
        const remaining = (width - column) * bytesPerPixel;
        rowSum += sum * pixels;
        rowWeighted += sum * (pixels * remaining - (bytesPerPixel * pixels * (pixels - 1)) / 2) - pixels * weighted;
      }
      column = runEnd;
    }
    this.#b = modulo(this.#b + bytes * this.#a + rowWeighted);
    this.#a = modulo(this.#a + rowSum);
  }

  /** The checksum as an unsigned 32-bit number. */
  value(): number {
    return this.#b * 65536 + this.#a;
  }
}

/** `%` on doubles is slow; values stay below 2^53, so the quotient's floor is exact. */
function modulo(value: number): number {
  return value - Math.floor(value / BASE) * BASE;
}
