/** From a contour on the wire to its points. */
import type { Contour } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Points } from "./points.js";

/**
 * Sums the differences up, each modulo 2^32, so that every result is a 32-bit integer again.
 * @param contour with an even number of deltas; a missing one has no points
 */
export function pointsOf(contour: Contour | undefined): Points {
  const deltas = contour?.deltas ?? [];
  const points = new Int32Array(deltas.length);
  let x = 0;
  let y = 0;
  for (let i = 0; i < deltas.length; i += 2) {
    x = (x + (deltas[i] as number)) | 0;
    y = (y + (deltas[i + 1] as number)) | 0;
    points[i] = x;
    points[i + 1] = y;
  }
  return points;
}
