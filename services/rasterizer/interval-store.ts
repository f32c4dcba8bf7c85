/** The intervals of many contours, one after the other, in buffers that are kept from mask to mask. */
export class IntervalStore {
  /** Triples as intervals.ts has them. What lies behind `used` is free for whoever resolves a row. */
  arena = new Int32Array(1 << 14);
  used = 0;
  /** Offsets into the arena where rows of contours start. */
  rowStart = new Int32Array(1 << 12);
  rows = 0;

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.arena.byteLength + this.rowStart.byteLength;
  }

  clear(): void {
    this.used = 0;
    this.rows = 0;
  }

  /** Makes room for `numbers` more numbers behind `used`; `arena` may be another one afterwards. */
  reserve(numbers: number): void {
    if (this.used + numbers > this.arena.length) this.arena = enlarge(this.arena, this.used, this.used + numbers);
  }

  /** Makes room for the offsets of `count` more rows; `rowStart` may be another one afterwards. */
  reserveRows(count: number): void {
    if (this.rows + count > this.rowStart.length) this.rowStart = enlarge(this.rowStart, this.rows, this.rows + count);
  }
}

function enlarge(array: Int32Array, used: number, needed: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.ceil(needed * 1.5));
  larger.set(array.subarray(0, used));
  return larger;
}
