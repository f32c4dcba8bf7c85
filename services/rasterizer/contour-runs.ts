/**
 * One contour becomes intervals on image rows: outline united with interior (docs/fill-semantics.md sections 2 to 4). The cost grows with the
 * length of the outline within the image's rows, never with the area or with what lies far away.
 */
import { clipEdge, type Edge } from "./clip.js";
import { ColumnSorter } from "./column-sorter.js";
import { addCrossings, addInsideCrossings } from "./interior.js";
import type { IntervalStore } from "./interval-store.js";
import { STRIDE, unite } from "./intervals.js";
import { addLine, type Band } from "./outline.js";
import { measure, type Points } from "./points.js";
import { CrossingLists, RunLists } from "./row-lists.js";

/** Where a contour's intervals lie: those of row `top + k` from `rowStart[at + k]` to `rowStart[at + k + 1]` in the store's arena. */
export interface ContourRows {
  readonly top: number;
  /** Included. */
  readonly bottom: number;
  readonly at: number;
}

/** Multiplying by it is exact: it turns 16.16 fixed point into columns. */
const FRACTION = 1 / 65536;

/** Turns contours into intervals, and holds the buffers that this takes. */
export class ContourTracer {
  readonly #lines = new RunLists();
  readonly #crossings = new CrossingLists();
  readonly #edge: Edge = { x1: 0, y1: 0, x2: 0, y2: 0 };
  readonly #clipped: Edge = { x1: 0, y1: 0, x2: 0, y2: 0 };
  readonly #sorter = new ColumnSorter();
  #first = new Int32Array(0);
  #last = new Int32Array(0);
  /** A row's crossings: 1, 3, 5, ... on the columns 0, 1, 2, ..., and even between two. */
  #halves = new Int32Array(0);

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    const scratch = this.#first.byteLength + this.#last.byteLength + this.#halves.byteLength;
    return this.#lines.heldBytes + this.#crossings.heldBytes + this.#sorter.heldBytes + scratch;
  }

  /**
   * Appends the contour's intervals on the band's rows to the store, all with this label.
   * @returns undefined when the contour reaches no pixel of the band
   */
  trace(points: Points, label: number, width: number, height: number, band: Band, store: IntervalStore): ContourRows | undefined {
    if (points.length === 0) return undefined;
    const extent = measure(points, band);
    if (extent.edgeRows === 0 || extent.right < 0 || extent.left >= width) return undefined;
    const own = { first: Math.max(band.first, extent.top), end: Math.min(band.end, extent.bottom + 1) };
    this.#lines.reset(own.end - own.first, extent.edgeRows);
    this.#crossings.reset(own.end - own.first, extent.edgeRows);
    this.#makeScratch(points.length);
    if (extent.left >= 0 && extent.right < width && extent.top >= 0 && extent.bottom < height) this.#addInsideEdges(points, own);
    else this.#addEdges(points, width, height, own);
    return this.#gather(own, width, label, store);
  }

  /** A row holds at most a run and half a pair of each edge. */
  #makeScratch(items: number): void {
    if (this.#first.length >= items) return;
    this.#first = new Int32Array(items);
    this.#last = new Int32Array(items);
    this.#halves = new Int32Array(items);
    this.#sorter.reserve(items);
  }

  #addInsideEdges(points: Points, band: Band): void {
    const lines = this.#lines;
    const crossings = this.#crossings;
    let x1 = points[points.length - 2] as number;
    let y1 = points[points.length - 1] as number;
    for (let i = 0; i < points.length; i += 2) {
      const x2 = points[i] as number;
      const y2 = points[i + 1] as number;
      if (reaches(y1, y2, band)) {
        addLine(lines, band, x1, y1, x2, y2);
        addInsideCrossings(crossings, band, x1, y1, x2, y2);
        if (i > 0 && y1 >= band.first && y1 < band.end) lines.joinLatest(y1 - band.first);
      }
      x1 = x2;
      y1 = y2;
    }
  }

  #addEdges(points: Points, width: number, height: number, band: Band): void {
    const edge = this.#edge;
    const clipped = this.#clipped;
    edge.x1 = points[points.length - 2] as number;
    edge.y1 = points[points.length - 1] as number;
    for (let i = 0; i < points.length; i += 2) {
      edge.x2 = points[i] as number;
      edge.y2 = points[i + 1] as number;
      if (reaches(edge.y1, edge.y2, band)) {
        clipped.x1 = edge.x1;
        clipped.y1 = edge.y1;
        clipped.x2 = edge.x2;
        clipped.y2 = edge.y2;
        if (clipEdge(clipped, width - 1, height - 1)) addLine(this.#lines, band, clipped.x1, clipped.y1, clipped.x2, clipped.y2);
        addCrossings(this.#crossings, band, edge, clipped);
        const vertexInside = edge.x1 >= 0 && edge.x1 < width && edge.y1 >= band.first && edge.y1 < band.end;
        if (i > 0 && vertexInside) this.#lines.joinLatest(edge.y1 - band.first);
      }
      edge.x1 = edge.x2;
      edge.y1 = edge.y2;
    }
  }

  /** Unites what the edges left on each row, and appends it to the store. */
  #gather(band: Band, width: number, label: number, store: IntervalStore): ContourRows {
    const rows = band.end - band.first;
    store.reserve((this.#lines.count + (this.#crossings.count >> 1)) * STRIDE);
    store.reserveRows(rows + 1);
    const { arena, rowStart, rows: at } = store;
    let used = store.used;
    for (let row = 0; row < rows; row++) {
      rowStart[at + row] = used;
      const simple = this.#takeSimple(row, label, arena, used);
      if (simple) {
        used += STRIDE;
        continue;
      }
      const count = this.#takeLines(row, this.#takePairs(row, width));
      this.#sorter.sort(this.#first, this.#last, count);
      used = unite(this.#first, this.#last, count, label, arena, used);
    }
    rowStart[at + rows] = used;
    store.used = used;
    store.rows = at + rows + 1;
    return { top: band.first, bottom: band.end - 1, at };
  }

  /**
   * The row that nearly all are like: a left and a right run of outline, and one pair of crossings that fills the gap between them. It becomes a
   * single interval at `out`.
   * @returns whether the row is so
   */
  #takeSimple(row: number, label: number, arena: Int32Array, out: number): boolean {
    const { head, next, start, end } = this.#lines;
    const one = head[row] as number;
    if (one < 0) return false;
    const two = next[one] as number;
    if (two < 0 || (next[two] as number) >= 0) return false;
    const { head: crossingHead, next: nextCrossing, x } = this.#crossings;
    const in1 = crossingHead[row] as number;
    if (in1 < 0) return false;
    const in2 = nextCrossing[in1] as number;
    if ((nextCrossing[in2] as number) >= 0) return false;

    const inOrder = (start[one] as number) <= (start[two] as number);
    const left = inOrder ? one : two;
    const right = inOrder ? two : one;
    const x1 = x[in1] as number;
    const x2 = x[in2] as number;
    const from = Math.ceil(Math.min(x1, x2) * FRACTION);
    const to = Math.floor(Math.max(x1, x2) * FRACTION);
    const first = start[left] as number;
    const last = Math.max(end[left] as number, end[right] as number);
    // Crossings beyond the outline (they occur where edges were clipped) need the general way.
    if (from < first || to > last || from > (end[left] as number) + 1 || to < (start[right] as number) - 1) return false;
    arena[out] = first;
    arena[out + 1] = last;
    arena[out + 2] = label;
    return true;
  }

  /**
   * Pairs a row's crossings, even-odd; returns how many intervals that makes. The columns of a pair depend on which columns its crossings lie on or
   * between and on nothing finer, so half columns are all that is sorted.
   */
  #takePairs(row: number, width: number): number {
    const { head, next, x } = this.#crossings;
    const halves = this.#halves;
    let crossings = 0;
    for (let item = head[row] as number; item >= 0; item = next[item] as number) {
      const column = Math.min(width - 0.5, Math.max(-0.5, (x[item] as number) * FRACTION));
      halves[crossings++] = Math.floor(column) + Math.ceil(column) + 1;
    }
    this.#sorter.sort(halves, halves, crossings);
    let count = 0;
    for (let i = 0; i < crossings; i += 2) {
      const from = (halves[i] as number) >> 1;
      const to = ((halves[i + 1] as number) - 1) >> 1;
      if (from > to) continue;
      this.#first[count] = from;
      this.#last[count] = to;
      count++;
    }
    return count;
  }

  /** Appends a row's runs of outline to the `count` intervals that are there. */
  #takeLines(row: number, count: number): number {
    const { head, next, start, end } = this.#lines;
    let at = count;
    for (let item = head[row] as number; item >= 0; item = next[item] as number) {
      this.#first[at] = start[item] as number;
      this.#last[at] = end[item] as number;
      at++;
    }
    return at;
  }
}

/** Clipping leaves an edge between its own ends, so one that ends above the band or starts below it has nothing there. */
function reaches(y1: number, y2: number, { first, end }: Band): boolean {
  return (y1 >= first || y2 >= first) && (y1 < end || y2 < end);
}
