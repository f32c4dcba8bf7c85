/** The outline: every edge is an 8-connected line drawn from its left end. docs/fill-semantics.md section 3b, as runs. */
import type { RunLists } from "./row-lists.js";

/** Rows `first` (included) to `end` (not included) of the image: the part being painted. */
export interface Band {
  readonly first: number;
  readonly end: number;
}

/** Adds the line between two pixels of the image to the band's rows: one run on each row. The lists must have room for them. */
export function addLine(lists: RunLists, band: Band, x1: number, y1: number, x2: number, y2: number): void {
  if (x2 < x1) addFromLeft(lists, band, x2, y2, x1, y1);
  else addFromLeft(lists, band, x1, y1, x2, y2);
}

/** A line's rows are counted from its left end, upwards or downwards; only those within the band are followed. */
function addFromLeft(lists: RunLists, band: Band, x1: number, y1: number, x2: number, y2: number): void {
  const dx = x2 - x1;
  const direction = y2 < y1 ? -1 : 1;
  const dy = direction * (y2 - y1);
  const firstStep = Math.max(0, direction > 0 ? band.first - y1 : y1 - (band.end - 1));
  const lastStep = Math.min(dy, direction > 0 ? band.end - 1 - y1 : y1 - band.first);
  if (lastStep < firstStep) return;
  const row = y1 + direction * firstStep - band.first;
  if (dy <= dx) addFlat(lists, row, direction, x1, dx, dy, firstStep, lastStep);
  else addSteep(lists, row, direction, x1, dx, dy, firstStep, lastStep);
}

/**
 * Row `m` starts at step floor((2 dx m - dx + 2 dy) / (2 dy)), the first row at 0, and ends one before the next row's start. Quotient and
 * remainder are carried from row to row.
 */
function addFlat(
  lists: RunLists,
  row: number,
  direction: number,
  x1: number,
  dx: number,
  dy: number,
  firstStep: number,
  lastStep: number,
): void {
  const { head, next, start, end } = lists;
  let item = lists.count;
  let at = row;
  let from = firstStep === 0 ? 0 : Math.floor((2 * dx * firstStep - dx + 2 * dy) / (2 * dy));
  if (firstStep < dy) {
    const whole = Math.floor(dx / dy);
    const part = 2 * (dx - whole * dy);
    const numerator = 2 * dx * (firstStep + 1) - dx + 2 * dy;
    let to = Math.floor(numerator / (2 * dy));
    let rest = numerator - to * 2 * dy;
    for (let step = firstStep; step <= lastStep && step < dy; step++) {
      start[item] = x1 + from;
      end[item] = x1 + to - 1;
      next[item] = head[at] as number;
      head[at] = item++;
      at += direction;
      from = to;
      to += whole;
      rest += part;
      if (rest >= 2 * dy) {
        rest -= 2 * dy;
        to++;
      }
    }
  }
  if (lastStep === dy) {
    start[item] = x1 + from;
    end[item] = x1 + dx;
    next[item] = head[at] as number;
    head[at] = item++;
  }
  lists.count = item;
}

/** Row `j` holds the one pixel x1 + floor((2 dx j + dy - 1) / (2 dy)): halves go to the left end. */
function addSteep(
  lists: RunLists,
  row: number,
  direction: number,
  x1: number,
  dx: number,
  dy: number,
  firstStep: number,
  lastStep: number,
): void {
  const { head, next, start, end } = lists;
  let item = lists.count;
  let at = row;
  const numerator = 2 * dx * firstStep + dy - 1;
  const offset = Math.floor(numerator / (2 * dy));
  let x = x1 + offset;
  let rest = numerator - offset * 2 * dy;
  for (let step = firstStep; step <= lastStep; step++) {
    start[item] = x;
    end[item] = x;
    next[item] = head[at] as number;
    head[at] = item++;
    at += direction;
    rest += 2 * dx;
    if (rest >= 2 * dy) {
      rest -= 2 * dy;
      x++;
    }
  }
  lists.count = item;
}
