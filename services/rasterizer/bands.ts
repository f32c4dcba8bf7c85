/** Cuts an image into bands of rows whose edges fit into bounded buffers. Nearly every mask is a single band. */
import type { Band } from "./outline.js";
import { measure, type Points } from "./points.js";

/**
 * Bands from top to bottom that cover all rows. Within each, the edges reach at most `budget` rows in sum, or it is a single row.
 */
export function planBands(contours: readonly Points[], height: number, budget: number): Band[] {
  const image: Band = { first: 0, end: height };
  const total = countEdgeRows(contours, height);
  if (total <= budget) return [image];
  const active = edgesPerRow(contours, height);
  const bands: Band[] = [];
  let first = 0;
  let sum = 0;
  for (let row = 0; row < height; row++) {
    const edges = active[row] as number;
    if (sum + edges > budget && row > first) {
      bands.push({ first, end: row });
      first = row;
      sum = 0;
    }
    sum += edges;
  }
  bands.push({ first, end: height });
  return bands;
}

/** Image rows that each edge of the contours reaches, summed: what painting them costs. */
export function countEdgeRows(contours: readonly Points[], height: number): number {
  const image: Band = { first: 0, end: height };
  return contours.reduce((sum, points) => sum + (points.length === 0 ? 0 : measure(points, image).edgeRows), 0);
}

function edgesPerRow(contours: readonly Points[], height: number): Int32Array {
  const change = new Int32Array(height + 1);
  const count = (row: number, by: number) => {
    change[row] = (change[row] as number) + by;
  };
  for (const points of contours) {
    let previous = points[points.length - 1] as number;
    for (let i = 1; i < points.length; i += 2) {
      const y = points[i] as number;
      const top = Math.max(0, Math.min(y, previous));
      const bottom = Math.min(height - 1, Math.max(y, previous));
      if (top <= bottom) {
        count(top, 1);
        count(bottom + 1, -1);
      }
      previous = y;
    }
  }
  for (let row = 1; row <= height; row++) count(row, change[row - 1] as number);
  return change;
}
