/** What a mask's file holds, and what takes its rows. */
import type { RowRuns } from "./row-runs.js";

/** Pixels that a side may have, so that sums over a row stay exact in doubles. */
export const MAX_SIDE = 2 ** 20;

export interface PngFormat {
  /** Pixels, 1 to MAX_SIDE each. */
  readonly width: number;
  readonly height: number;
  /** 1: gray. 3: RGB. */
  readonly bytesPerPixel: 1 | 3;
  /** By label: a gray value 0..255, or 0xRRGGBB. */
  readonly values: readonly number[];
}

/** Writes one file after the other: `start`, then every row from top to bottom, then `finish`. */
export interface PngEncoder {
  /** Starts an image, whatever became of the one before. */
  start(format: PngFormat): void;
  /** @throws PngTooLarge as soon as the file is known to be */
  row(row: RowRuns, above: RowRuns): void;
  /**
   * The file.
   * @throws PngTooLarge
   */
  finish(): Uint8Array | Promise<Uint8Array>;
  /** Bytes of the buffers that have grown with what was written. */
  readonly heldBytes: number;
}

/** The file has more bytes than it may. */
export class PngTooLarge extends Error {
  override readonly name = "PngTooLarge";
}
