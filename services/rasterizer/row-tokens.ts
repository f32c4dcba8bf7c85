/**
 * Rows of runs as literals and matches. A run is one pixel and a match at the distance of a pixel; where many short runs lie as in the row above,
 * a match at the distance of a row takes them all.
 */
import type { RunDeflater } from "./deflate-runs.js";
import { MAX_DISTANCE, MAX_MATCH } from "./deflate-symbols.js";
import type { PngFormat } from "./png-format.js";
import type { RowRuns } from "./row-runs.js";

/** Slots of the distances. */
const PIXEL = 1;
const ROW = 2;

/**
 * How many runs a match of a row's distance must take to pay, by bytes per pixel: its extra bits cost more than one gray byte, but less than the
 * three of a colour.
 */
const RUNS_THAT_PAY = { 1: 2, 3: 1 } as const;

/** Tokens of one image after the other. Bytes equal to the ones before are held back, so that a run may go on in the next row. */
export class RowTokens {
  readonly #deflater: RunDeflater;
  #format: PngFormat = { width: 0, height: 0, bytesPerPixel: 1, values: [] };
  /** Whether a row is short enough for the one above to be in reach. */
  #reachesAbove = false;
  /** Bytes held back: how many, of pixels of this value, and whether such a pixel lies before them. */
  #value = 0;
  #bytes = 0;
  #continues = false;
  /** How far the last match of a row reached. */
  #matchedTo = 0;
  #matchedRun = 0;

  constructor(deflater: RunDeflater) {
    this.#deflater = deflater;
  }

  start(format: PngFormat): void {
    this.#format = format;
    const rowBytes = 1 + format.width * format.bytesPerPixel;
    this.#reachesAbove = rowBytes <= MAX_DISTANCE;
    this.#deflater.start(this.#reachesAbove ? [format.bytesPerPixel, rowBytes] : [format.bytesPerPixel]);
    this.#value = 0;
    this.#bytes = 0;
    this.#continues = false;
  }

  /** The filter byte 0 and the pixels of a row; `above` is the row before, empty for the first. */
  addRow(row: RowRuns, above: RowRuns): void {
    const { values, bytesPerPixel } = this.#format;
    const { end, label, count } = row;
    const reaches = this.#reachesAbove && above.count > 0;
    this.#hold(0, 1);
    let column = 0;
    let aboveRun = 0;
    for (let run = 0; run < count; run++) {
      const value = values[label[run] as number] as number;
      if (reaches && value !== this.#value) {
        while ((above.end[aboveRun] as number) <= column) aboveRun++;
        if (this.#matchAbove(row, run, above, aboveRun, column)) {
          run = this.#matchedRun;
          column = this.#matchedTo;
        }
      }
      this.#hold(values[label[run] as number] as number, ((end[run] as number) - column) * bytesPerPixel);
      column = end[run] as number;
    }
  }

  finish(): void {
    this.#flush();
    this.#deflater.finish();
  }

  /** Holds back bytes of pixels of one value; a filter byte is a zero among zeros, or stands alone. */
  #hold(value: number, bytes: number): void {
    if (value !== this.#value) {
      this.#flush();
      this.#value = value;
      this.#continues = false;
    }
    this.#bytes += bytes;
  }

  #flush(): void {
    const { bytesPerPixel } = this.#format;
    let left = this.#bytes;
    if (!this.#continues && left > 0) {
      const first = Math.min(left, bytesPerPixel);
      this.#literals(first);
      left -= first;
    }
    if (left > 0) this.#literals(this.#deflater.matches(PIXEL, left));
    this.#bytes = 0;
    this.#continues = true;
  }

  /** `count` bytes, three at the most, of pixels of the value held back. */
  #literals(count: number): void {
    const gray = this.#format.bytesPerPixel === 1;
    for (let byte = 0; byte < count; byte++) this.#deflater.literal(gray ? this.#value : (this.#value >> (16 - 8 * byte)) & 0xff);
  }

  /**
   * Takes runs from `run` on as one match with the row above, if enough of them lie alike.
   * @param aboveRun the run of the row above that holds `column`, where `run` starts
   */
  #matchAbove(row: RowRuns, run: number, above: RowRuns, aboveRun: number, column: number): boolean {
    const { bytesPerPixel, values } = this.#format;
    const limit = Math.min(row.end[row.count - 1] as number, column + Math.floor(MAX_MATCH / bytesPerPixel));
    let at = run;
    let aboveAt = aboveRun;
    let to = column;
    while (row.label[at] === above.label[aboveAt]) {
      const end = row.end[at] as number;
      const aboveEnd = above.end[aboveAt] as number;
      to = Math.min(end, aboveEnd, limit);
      if (end !== aboveEnd || end >= limit) break;
      at++;
      aboveAt++;
    }
    if (to === column) return false;
    // The run at which the match ends, and which goes on behind it.
    const lastRun = at > run && row.label[at] !== above.label[aboveAt] ? at - 1 : at;
    if (lastRun - run + 1 < RUNS_THAT_PAY[bytesPerPixel] || (to - column) * bytesPerPixel < 3) return false;
    this.#flush();
    this.#deflater.match(ROW, (to - column) * bytesPerPixel);
    this.#value = values[row.label[lastRun] as number] as number;
    this.#continues = true;
    this.#matchedRun = lastRun;
    this.#matchedTo = to;
    return true;
  }
}
