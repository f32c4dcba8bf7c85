/**
 * What a contour puts on each row of a band, before it is sorted: one linked list a row in flat arrays, kept from mask to mask. Putting an
 * item costs a few stores, wherever its row is, so edges can be followed one after the other in the contour's own order.
 */

const NONE = -1;

/** How much room a list of `needed` items gets, so that growing stays rare. */
function roomFor(needed: number): number {
  return Math.ceil(needed * 1.5) + 256;
}

/** Makes every row of a band of `rows` rows empty, in `head` if it is large enough. */
function emptyHeads(head: Int32Array<ArrayBuffer>, rows: number): Int32Array<ArrayBuffer> {
  if (head.length < rows) return new Int32Array(roomFor(rows)).fill(NONE);
  head.fill(NONE, 0, rows);
  return head;
}

/** Runs of outline pixels, `start` to `end` inclusive. Row `r` of the band: follow `next` from `head[r]` until it is negative. */
export class RunLists {
  head = new Int32Array(0);
  next = new Int32Array(0);
  start = new Int32Array(0);
  end = new Int32Array(0);
  count = 0;

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.head.byteLength + this.next.byteLength + this.start.byteLength + this.end.byteLength;
  }

  /** Empties the lists for a band of `rows` rows and makes room for `items` runs. */
  reset(rows: number, items: number): void {
    this.head = emptyHeads(this.head, rows);
    this.count = 0;
    if (this.next.length >= items) return;
    const room = roomFor(items);
    this.next = new Int32Array(room);
    this.start = new Int32Array(room);
    this.end = new Int32Array(room);
  }

  /**
   * Makes the two runs put last on a row into one that spans both. Two edges share the pixel of the vertex between them, so their runs on its row
   * touch: joined right after the second edge was put, most rows hold only one run for each side of the contour.
   */
  joinLatest(row: number): void {
    const latest = this.head[row] as number;
    const before = this.next[latest] as number;
    const start = this.start[latest] as number;
    const end = this.end[latest] as number;
    if (start < (this.start[before] as number)) this.start[before] = start;
    if (end > (this.end[before] as number)) this.end[before] = end;
    this.head[row] = before;
  }
}

/** Crossings of the rows' lines by edges, x in 16.16 fixed point held as doubles. Linked as in RunLists. */
export class CrossingLists {
  head = new Int32Array(0);
  next = new Int32Array(0);
  x = new Float64Array(0);
  count = 0;

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.head.byteLength + this.next.byteLength + this.x.byteLength;
  }

  /** Empties the lists for a band of `rows` rows and makes room for `items` crossings. */
  reset(rows: number, items: number): void {
    this.head = emptyHeads(this.head, rows);
    this.count = 0;
    if (this.next.length >= items) return;
    const room = roomFor(items);
    this.next = new Int32Array(room);
    this.x = new Float64Array(room);
  }
}
