/** One row of a mask by joining the sets of pixels on it: the way that stays fast however crowded the row is. */
import type { IntervalStore } from "./interval-store.js";
import { layOver, STRIDE } from "./intervals.js";
import { ERASED, type Layer } from "./layers.js";
import { BACKGROUND, type RowRuns } from "./row-runs.js";

/**
 * Lays the layers of a row over each other. Within an object a hole is a layer that erases, so a region, its holes and later zones are laid over
 * each other like anything else, and what is erased at the end is left out of the object.
 */
export class RowResolver {
  /** The sets being joined: where each lies in the arena, and how many intervals it has. */
  #offset = new Int32Array(16);
  #count = new Int32Array(16);
  #sets = 0;

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.#offset.byteLength + this.#count.byteLength;
  }

  /**
   * @param active indexes into `layers` of those that reach this row, ascending; the first `activeCount` of them
   * @param store holds the layers' intervals; the arena behind `used` is overwritten
   * @param out becomes the row, `width` pixels wide
   */
  resolve(
    layers: readonly Layer[],
    active: Int32Array,
    activeCount: number,
    row: number,
    width: number,
    store: IntervalStore,
    out: RowRuns,
  ): void {
    const total = this.#totalIntervals(layers, active, activeCount, row, store);
    // However they are joined, n intervals have at most 2 n borders, so no set has more than 2 n intervals.
    const area = 2 * total * STRIDE;
    store.reserve(3 * area);
    const { arena } = store;
    const scratch = store.used + area;
    let kept = store.used;
    this.#makeRoom(activeCount);
    this.#sets = 0;
    for (let i = 0; i < activeCount; ) {
      const object = (layers[active[i] as number] as Layer).object;
      const firstSet = this.#sets;
      for (; i < activeCount && (layers[active[i] as number] as Layer).object === object; i++) {
        this.#pushRow(layers[active[i] as number] as Layer, row, store.rowStart);
      }
      kept = this.#closeObject(arena, firstSet, kept, scratch, area);
    }
    this.#join(arena, 0, scratch, scratch + area);
    out.reset(2 * total + 1);
    if (this.#sets > 0) emit(arena, this.#offset[0] as number, this.#count[0] as number, out);
    fillUp(out, width);
  }

  #totalIntervals(layers: readonly Layer[], active: Int32Array, activeCount: number, row: number, { rowStart }: IntervalStore): number {
    let numbers = 0;
    for (let i = 0; i < activeCount; i++) {
      const { at, top } = layers[active[i] as number] as Layer;
      const index = at + row - top;
      numbers += (rowStart[index + 1] as number) - (rowStart[index] as number);
    }
    return numbers / STRIDE;
  }

  #makeRoom(sets: number): void {
    if (this.#offset.length >= sets) return;
    this.#offset = new Int32Array(sets * 2);
    this.#count = new Int32Array(sets * 2);
  }

  /** Adds the layer's intervals on this row, if it has any, as a set. */
  #pushRow({ at, top }: Layer, row: number, rowStart: Int32Array): void {
    const from = rowStart[at + row - top] as number;
    const end = rowStart[at + row - top + 1] as number;
    if (end > from) this.#pushSet(from, (end - from) / STRIDE);
  }

  #pushSet(offset: number, count: number): void {
    this.#offset[this.#sets] = offset;
    this.#count[this.#sets] = count;
    this.#sets++;
  }

  /**
   * Replaces the sets from `firstSet` by one: the object's own pixels, without what is erased.
   * @param kept where in the arena it may be written
   * @returns where the next object may be written
   */
  #closeObject(arena: Int32Array, firstSet: number, kept: number, scratch: number, area: number): number {
    const sets = this.#sets - firstSet;
    if (sets === 0) return kept;
    if (sets === 1 && arena[(this.#offset[firstSet] as number) + 2] !== ERASED) return kept;
    this.#join(arena, firstSet, scratch, scratch + area);
    const end = copyUnerased(arena, this.#offset[firstSet] as number, this.#count[firstSet] as number, kept);
    this.#sets = firstSet;
    if (end > kept) this.#pushSet(kept, (end - kept) / STRIDE);
    return end;
  }

  /**
   * Joins the sets from `firstSet` into one, neighbours first, like a merge sort: each interval is looked at once a round, however many
   * objects lie on the row. Rounds write to `target` and `other` in turn.
   */
  #join(arena: Int32Array, firstSet: number, target: number, other: number): void {
    const offset = this.#offset;
    const count = this.#count;
    let to = target;
    let from = other;
    while (this.#sets - firstSet > 1) {
      let at = to;
      let joined = firstSet;
      for (let set = firstSet; set < this.#sets; set += 2) {
        const paired = set + 1 < this.#sets;
        const over = paired ? (offset[set + 1] as number) : 0;
        const intervals = layOver(arena, offset[set] as number, count[set] as number, over, paired ? (count[set + 1] as number) : 0, at);
        offset[joined] = at;
        count[joined] = intervals;
        joined++;
        at += intervals * STRIDE;
      }
      this.#sets = joined;
      [to, from] = [from, to];
    }
  }
}

function copyUnerased(arena: Int32Array, from: number, count: number, to: number): number {
  let at = to;
  const end = from + count * STRIDE;
  for (let i = from; i < end; i += STRIDE) {
    const label = arena[i + 2] as number;
    if (label === ERASED) continue;
    arena[at] = arena[i] as number;
    arena[at + 1] = arena[i + 1] as number;
    arena[at + 2] = label;
    at += STRIDE;
  }
  return at;
}

/** Writes intervals as runs, with background between them. */
function emit(arena: Int32Array, offset: number, count: number, out: RowRuns): void {
  const end = offset + count * STRIDE;
  let column = 0;
  for (let i = offset; i < end; i += STRIDE) {
    const first = arena[i] as number;
    if (first > column) out.push(first, BACKGROUND);
    column = (arena[i + 1] as number) + 1;
    out.push(column, arena[i + 2] as number);
  }
}

function fillUp(out: RowRuns, width: number): void {
  const painted = out.count === 0 ? 0 : (out.end[out.count - 1] as number);
  if (painted < width) out.push(width, BACKGROUND);
}
