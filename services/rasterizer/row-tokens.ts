/**
 * Rows of runs as literals and matches. A run is one pixel and a match at the distance of a pixel; where short runs lie as in the row above, a match
 * at the distance of a row takes them all.
 */
import type { RunDeflater } from "./deflate-runs.js";
import { MAX_DISTANCE, MAX_MATCH, MIN_MATCH } from "./deflate-symbols.js";
import type { PngFormat } from "./png-format.js";
import type { RowRuns } from "./row-runs.js";

/** Slots of the distances. */
const PIXEL = 1;
const ROW = 2;

/**
 * How many runs a match at the distance of a row must take to pay, by bytes per pixel: its extra bits cost more than one gray byte, but less than
 * the three of a colour.
 */
const RUNS_THAT_PAY = { 1: 2, 3: 1 } as const;

/** Tokens of one image after the other. Bytes equal to the ones before are held back, so that a run may go on in the next row. */
export class RowTokens {
  readonly #deflater: RunDeflater;
  /** By label. */
  #values = new Int32Array(0);
  #bytesPerPixel: 1 | 3 = 1;
  /** Whether a row is short enough for the one above to be in reach. */
  #reachesAbove = false;
  /** Bytes held back: how many, of pixels of this value, and whether such a pixel lies before them. */
  #value = 0;
  #bytes = 0;
  #continues = false;
  /** Where the last match with the row above ended: before this column, in this run. */
  #matchedTo = 0;
  #matchedRun = 0;

  constructor(deflater: RunDeflater) {
    this.#deflater = deflater;
  }

  start({ width, bytesPerPixel, values }: PngFormat): void {
    const rowBytes = 1 + width * bytesPerPixel;
    this.#values = Int32Array.from(values);
    this.#bytesPerPixel = bytesPerPixel;
    this.#reachesAbove = rowBytes <= MAX_DISTANCE;
    this.#deflater.start(this.#reachesAbove ? [bytesPerPixel, rowBytes] : [bytesPerPixel]);
    this.#value = 0;
    this.#bytes = 0;
    this.#continues = false;
  }

  /** The filter byte 0 and the pixels of a row; `above` is the row before, empty for the first. */
  addRow(row: RowRuns, above: RowRuns): void {
    const { end, label, count } = row;
    const values = this.#values;
    const bytesPerPixel = this.#bytesPerPixel;
    const reaches = this.#reachesAbove && above.count > 0;
    // A filter byte is a zero among zeros, or stands alone.
    if (this.#value !== 0) this.#hold(0);
    this.#bytes++;
    let column = 0;
    let aboveRun = 0;
    for (let run = 0; run < count; run++) {
      const value = values[label[run] as number] as number;
      if (value !== this.#value) {
        if (reaches) {
          while ((above.end[aboveRun] as number) <= column) aboveRun++;
          if (label[run] === above.label[aboveRun] && this.#matchAbove(row, run, above, aboveRun, column)) {
            run = this.#matchedRun;
            column = this.#matchedTo;
          } else {
            this.#hold(value);
          }
        } else {
          this.#hold(value);
        }
      }
      const runEnd = end[run] as number;
      this.#bytes += (runEnd - column) * bytesPerPixel;
      column = runEnd;
    }
  }

  finish(): void {
    this.#release();
    this.#deflater.finish();
  }

  /** From now on, bytes of pixels of this value are held back. */
  #hold(value: number): void {
    this.#release();
    this.#value = value;
    this.#continues = false;
  }

  /** Writes what is held back. */
  #release(): void {
    let left = this.#bytes;
    if (left === 0) return;
    if (!this.#continues) {
      const first = Math.min(left, this.#bytesPerPixel);
      this.#literals(first);
      left -= first;
    }
    if (left > 0) this.#literals(this.#deflater.matches(PIXEL, left));
    this.#bytes = 0;
  }

  /** `count` bytes, three at the most, of pixels of the value held back. */
  #literals(count: number): void {
    const value = this.#value;
    if (this.#bytesPerPixel === 1) {
      for (let byte = 0; byte < count; byte++) this.#deflater.literal(value);
      return;
    }
    if (count > 0) this.#deflater.literal(value >> 16);
    if (count > 1) this.#deflater.literal((value >> 8) & 0xff);
    if (count > 2) this.#deflater.literal(value & 0xff);
  }

  /**
   * Takes runs from `run` on as one match with the row above, if enough of them lie alike.
   * @param aboveRun the run of the row above that holds `column`, where `run` starts; their labels are equal
   */
  #matchAbove(row: RowRuns, run: number, above: RowRuns, aboveRun: number, column: number): boolean {
    const { end, label, count } = row;
    const { end: aboveEnds, label: aboveLabels } = above;
    const bytesPerPixel = this.#bytesPerPixel;
    const limit = Math.min(end[count - 1] as number, column + (bytesPerPixel === 1 ? MAX_MATCH : MAX_MATCH / 3));
    let lastRun = run;
    let at = aboveRun;
    let to = column;
    for (;;) {
      const runEnd = end[lastRun] as number;
      const aboveEnd = aboveEnds[at] as number;
      to = Math.min(runEnd, aboveEnd, limit);
      if (runEnd !== aboveEnd || runEnd >= limit || label[lastRun + 1] !== aboveLabels[at + 1]) break;
      lastRun++;
      at++;
    }
    const bytes = (to - column) * bytesPerPixel;
    if (lastRun - run + 1 < RUNS_THAT_PAY[bytesPerPixel] || bytes < MIN_MATCH) return false;
    this.#release();
    this.#deflater.match(ROW, bytes);
    this.#value = this.#values[label[lastRun] as number] as number;
    this.#continues = true;
    this.#matchedRun = lastRun;
    this.#matchedTo = to;
    return true;
  }
}
