/**
 * Sets of pixels on one row, as ascending disjoint intervals, each with a label: triples (first, last, label) in one
 * large Int32Array, both ends inclusive. A set is a range of that array, so nothing is allocated while a mask is painted.
 */

/** Numbers an interval takes. */
export const STRIDE = 3;

/**
 * Writes the union of sorted intervals to `arena` from offset `out`, all with one label; those that touch become one.
 * @returns the offset after the last one
 */
export function unite(first: Int32Array, last: Int32Array, count: number, label: number, arena: Int32Array, out: number): number {
  if (count === 0) return out;
  let at = out;
  let from = first[0] as number;
  let to = last[0] as number;
  for (let i = 1; i < count; i++) {
    const start = first[i] as number;
    const end = last[i] as number;
    if (start > to + 1) {
      at = put(arena, at, from, to, label);
      from = start;
      to = end;
    } else if (end > to) {
      to = end;
    }
  }
  return put(arena, at, from, to, label);
}

/**
 * Lays the set `over` on the set `under`: its intervals stay whole, and of `under` what they do not cover. Both lie in `arena`, and so does the
 * result, from offset `out`, which takes at most `underCount + 2 * overCount` intervals. Laying over is associative, so many layers may be joined in
 * any grouping that keeps their order.
 * @returns how many intervals the result has
 */
export function layOver(arena: Int32Array, under: number, underCount: number, over: number, overCount: number, out: number): number {
  const underEnd = under + underCount * STRIDE;
  const overEnd = over + overCount * STRIDE;
  let at = out;
  let upper = over;
  // The first column that no interval already written covers.
  let free = 0;
  for (let lower = under; lower < underEnd; lower += STRIDE) {
    const first = arena[lower] as number;
    const last = arena[lower + 1] as number;
    const label = arena[lower + 2] as number;
    if (first > free) free = first;
    while (upper < overEnd && (arena[upper] as number) <= last) {
      const upperFirst = arena[upper] as number;
      if (upperFirst > free) at = put(arena, at, free, upperFirst - 1, label);
      const upperLast = arena[upper + 1] as number;
      at = put(arena, at, upperFirst, upperLast, arena[upper + 2] as number);
      if (upperLast >= free) free = upperLast + 1;
      upper += STRIDE;
    }
    if (free <= last) {
      at = put(arena, at, free, last, label);
      free = last + 1;
    }
  }
  for (; upper < overEnd; upper += STRIDE) {
    at = put(arena, at, arena[upper] as number, arena[upper + 1] as number, arena[upper + 2] as number);
  }
  return (at - out) / STRIDE;
}

/** Writes an interval and returns the offset after it. */
function put(arena: Int32Array, at: number, first: number, last: number, label: number): number {
  arena[at] = first;
  arena[at + 1] = last;
  arena[at + 2] = label;
  return at + STRIDE;
}
