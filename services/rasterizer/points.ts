/** Rounded points of closed contours, and how far they reach. */
import type { Band } from "./outline.js";

/** x0, y0, x1, y1, ...: 32-bit integers. The last point is joined to the first. */
export type Points = Int32Array;

/** How far a contour reaches. */
export interface Extent {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Rows of the band that each edge reaches, summed: the work and the memory that painting takes. */
  readonly edgeRows: number;
}

/** Measures a contour of at least one point. Only `edgeRows` depends on the band. Without branches, for they would be hard to predict. */
export function measure(points: Points, { first, end }: Band): Extent {
  let left = points[0] as number;
  let right = left;
  let top = points[1] as number;
  let bottom = top;
  let edgeRows = 0;
  let previous = points[points.length - 1] as number;
  for (let i = 0; i < points.length; i += 2) {
    const x = points[i] as number;
    const y = points[i + 1] as number;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
    edgeRows += Math.max(0, Math.min(Math.max(y, previous), end - 1) - Math.max(Math.min(y, previous), first) + 1);
    previous = y;
  }
  return { left, right, top, bottom, edgeRows };
}
