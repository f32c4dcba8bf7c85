/** Clipping of a contour's edge to the image: docs/fill-semantics.md section 3a, step by step. */

/** An edge whose ends may be moved by `clipEdge`; reused from edge to edge. */
export interface Edge {
  x1: number;
  y1: number;
  x2: number;
  y2: number;
}

/** Which outer side a coordinate lies on: -1 below 0, 1 beyond `last`, 0 inside. */
function side(value: number, last: number): -1 | 0 | 1 {
  if (value < 0) return -1;
  return value > last ? 1 : 0;
}

/**
 * Moves the ends of an edge to the image's border, in place, in exactly the page's order: each step sees what the steps before it
 * changed. Products and quotients are doubles and may be inexact; that is part of the rule.
 * @param right the last column, `width - 1`
 * @param bottom the last row, `height - 1`
 * @returns whether a line is to be drawn. If not, the ends are as the steps left them, and the interior rule uses them so.
 */
export function clipEdge(edge: Edge, right: number, bottom: number): boolean {
  const vertical1 = side(edge.y1, bottom);
  const vertical2 = side(edge.y2, bottom);
  if (vertical1 !== 0 && vertical1 === vertical2) return false;
  const horizontal1 = side(edge.x1, right);
  if (horizontal1 !== 0 && horizontal1 === side(edge.x2, right)) return false;

  if (vertical1 !== 0) {
    const row = vertical1 < 0 ? 0 : bottom;
    edge.x1 += Math.trunc(((row - edge.y1) * (edge.x2 - edge.x1)) / (edge.y2 - edge.y1));
    edge.y1 = row;
  }
  if (vertical2 !== 0) {
    const row = vertical2 < 0 ? 0 : bottom;
    edge.x2 += Math.trunc(((row - edge.y2) * (edge.x2 - edge.x1)) / (edge.y2 - edge.y1));
    edge.y2 = row;
  }
  const clipped1 = side(edge.x1, right);
  const clipped2 = side(edge.x2, right);
  if (clipped1 !== 0 && clipped1 === clipped2) return false;
  if (clipped1 !== 0) {
    const column = clipped1 < 0 ? 0 : right;
    edge.y1 += Math.trunc(((column - edge.x1) * (edge.y2 - edge.y1)) / (edge.x2 - edge.x1));
    edge.x1 = column;
  }
  if (clipped2 !== 0) {
    const column = clipped2 < 0 ? 0 : right;
    edge.y2 += Math.trunc(((column - edge.x2) * (edge.y2 - edge.y1)) / (edge.x2 - edge.x1));
    edge.x2 = column;
  }
  return true;
}
