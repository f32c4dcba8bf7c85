/** One row of a mask by a sweep over the borders of its intervals: the fast way for rows that few layers reach, which nearly all rows are. */
import type { IntervalStore } from "./interval-store.js";
import { STRIDE } from "./intervals.js";
import { ERASED, type Layer } from "./layers.js";
import { BACKGROUND, type RowRuns } from "./row-runs.js";

/** Layers are bits of a 32-bit number. */
export const MOST_LAYERS = 32;
const SLOT_BITS = 5;
const SLOT_MASK = MOST_LAYERS - 1;

/** With more borders, sorting by insertion is no longer fast. */
const MOST_BORDERS = 96;

/**
 * Keeps which layers are open from left to right; the topmost one wins. Borders lie in nearly the same order from row to row, so each row starts
 * from the order of the one before.
 */
export class RowSweeper {
  #slots = 0;
  /** By slot: the layer's label, the slots of the objects below it, and where its next row's offset stands in `rowStart`. */
  readonly #label = new Int32Array(MOST_LAYERS);
  readonly #below = new Int32Array(MOST_LAYERS);
  readonly #cursor = new Int32Array(MOST_LAYERS);
  /** Borders as column and slot in one number: in the layers' order, then ascending. */
  readonly #border = new Int32Array(MOST_BORDERS);
  readonly #sorted = new Int32Array(MOST_BORDERS);
  /** Where each of the sorted borders of the last row stood in the layers' order. */
  readonly #order = new Int32Array(MOST_BORDERS);
  #borders = 0;

  /** Prepares for `row` and the rows below it, up to the next change of the active layers: ascending, at most MOST_LAYERS. */
  activate(layers: readonly Layer[], active: Int32Array, activeCount: number, row: number): void {
    let firstOfObject = 0;
    for (let slot = 0; slot < activeCount; slot++) {
      const { object, label, at, top } = layers[active[slot] as number] as Layer;
      if (slot > 0 && object !== (layers[active[slot - 1] as number] as Layer).object) firstOfObject = slot;
      this.#label[slot] = label;
      this.#below[slot] = (1 << firstOfObject) - 1;
      this.#cursor[slot] = at + row - top;
    }
    this.#slots = activeCount;
    this.#borders = 0;
  }

  /**
   * Makes `out` the next row, `width` pixels wide.
   * @returns false when it has too many borders; `out` is untouched then
   */
  sweep({ arena, rowStart }: IntervalStore, width: number, out: RowRuns): boolean {
    const borders = this.#takeBorders(arena, rowStart);
    if (borders > MOST_BORDERS) {
      this.#borders = 0;
      return false;
    }
    this.#sort(borders);
    const sorted = this.#sorted;
    out.reset(borders + 1);
    let open = 0;
    let column = 0;
    for (let i = 0; i < borders; i++) {
      const border = sorted[i] as number;
      const next = border >> SLOT_BITS;
      if (next > column) {
        out.push(next, this.#topmost(open));
        column = next;
      }
      open ^= 1 << (border & SLOT_MASK);
    }
    if (column < width) out.push(width, BACKGROUND);
    return true;
  }

  /** Collects the row's borders and goes on to the next row; returns how many there are, and stops collecting when there is no room. */
  #takeBorders(arena: Int32Array, rowStart: Int32Array): number {
    const border = this.#border;
    let borders = 0;
    for (let slot = 0; slot < this.#slots; slot++) {
      const cursor = this.#cursor[slot] as number;
      this.#cursor[slot] = cursor + 1;
      const end = rowStart[cursor + 1] as number;
      for (let i = rowStart[cursor] as number; i < end; i += STRIDE) {
        if (borders < MOST_BORDERS) {
          border[borders] = ((arena[i] as number) << SLOT_BITS) | slot;
          border[borders + 1] = (((arena[i + 1] as number) + 1) << SLOT_BITS) | slot;
        }
        borders += 2;
      }
    }
    return borders;
  }

  #sort(borders: number): void {
    const border = this.#border;
    const sorted = this.#sorted;
    const order = this.#order;
    if (borders !== this.#borders) for (let i = 0; i < borders; i++) order[i] = i;
    this.#borders = borders;
    for (let i = 0; i < borders; i++) {
      const from = order[i] as number;
      const value = border[from] as number;
      let at = i;
      while (at > 0 && (sorted[at - 1] as number) > value) {
        sorted[at] = sorted[at - 1] as number;
        order[at] = order[at - 1] as number;
        at--;
      }
      sorted[at] = value;
      order[at] = from;
    }
  }

  /** The label that shows where these layers are open: an erasing one hides all of its own object. */
  #topmost(open: number): number {
    let left = open;
    while (left !== 0) {
      const slot = 31 - Math.clz32(left);
      const label = this.#label[slot] as number;
      if (label !== ERASED) return label;
      left &= this.#below[slot] as number;
    }
    return BACKGROUND;
  }
}
