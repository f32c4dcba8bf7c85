/** The interior: where the rows' lines cross the edges, even-odd, in 16.16 fixed point. docs/fill-semantics.md section 4. */
import type { Edge } from "./clip.js";
import type { Band } from "./outline.js";
import type { CrossingLists } from "./row-lists.js";

const ONE = 65536;

/**
 * Adds the crossings of one edge to the band's rows. It is active from its upper vertex to one before its lower one; the bottom row is
 * left to the outline. Numerators stay below 2^48, so doubles are exact, and the slope's truncation error accumulates as the rule wants.
 * @param edge the edge as the contour has it, unclipped
 * @param clipped the ends as clipping left them; the same numbers when both ends are inside or nothing was clipped
 */
export function addCrossings(lists: CrossingLists, band: Band, edge: Edge, clipped: Edge): void {
  addSlope(lists, band, edge.y1, edge.y2, clipped.x1, clipped.y1, clipped.x2, clipped.y2);
}

/** The same, of an edge from (x1, y1) to (x2, y2) that needs no clipping. */
export function addInsideCrossings(lists: CrossingLists, band: Band, x1: number, y1: number, x2: number, y2: number): void {
  addSlope(lists, band, y1, y2, x1, y1, x2, y2);
}

function addSlope(
  lists: CrossingLists,
  band: Band,
  y1: number,
  y2: number,
  clippedX1: number,
  clippedY1: number,
  clippedX2: number,
  clippedY2: number,
): void {
  if (y1 === y2) return;
  const from = Math.max(Math.min(y1, y2), band.first);
  const end = Math.min(Math.max(y1, y2), band.end);
  if (from >= end) return;
  // Clipped to a single row there is no slope left: the edge's own rows are taken, with the clipped columns.
  const flat = clippedY1 === clippedY2;
  const sy1 = flat ? y1 : clippedY1;
  const sy2 = flat ? y2 : clippedY2;
  const slope = Math.trunc((ONE * (clippedX2 - clippedX1)) / (sy2 - sy1));
  // Rows above the image are never walked: the first row's crossing comes from the upper vertex by the formula.
  const first = y1 < y2 ? ONE * clippedX1 + (from - sy1) * slope : ONE * clippedX2 + (from - sy2) * slope;
  push(lists, from - band.first, end - band.first, first, slope);
}

function push(lists: CrossingLists, from: number, end: number, first: number, slope: number): void {
  const { head, next, x } = lists;
  let item = lists.count;
  let crossing = first;
  for (let row = from; row < end; row++) {
    x[item] = crossing;
    next[item] = head[row] as number;
    head[row] = item++;
    crossing += slope;
  }
  lists.count = item;
}
