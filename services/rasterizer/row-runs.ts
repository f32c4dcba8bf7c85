/** One row of an image as runs of equal pixels. */

/** The label of pixels that no object painted. */
export const BACKGROUND = 0;

/** Run `i` ends before column `end[i]` and starts where the one before ended; neighbours have different labels, the last ends at the width. */
export class RowRuns {
  end = new Int32Array(64);
  label = new Int32Array(64);
  count = 0;

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.end.byteLength + this.label.byteLength;
  }

  /** Makes room for `runs` runs and empties the row. */
  reset(runs: number): void {
    this.count = 0;
    if (this.end.length >= runs) return;
    this.end = new Int32Array(runs * 2);
    this.label = new Int32Array(runs * 2);
  }

  /** Adds a run that ends before column `end`, which must be right of the last one. */
  push(end: number, label: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.label[last] === label) {
      this.end[last] = end;
      return;
    }
    this.end[this.count] = end;
    this.label[this.count] = label;
    this.count++;
  }
}

/** Takes the rows of an image from top to bottom, each with the one above (empty for the first). Both are the caller's again when it returns. */
export type RowSink = (row: RowRuns, above: RowRuns) => void;
