/** From a contour on the wire to its points. */
import { decodeDeltas } from "../../proto/deltas.js";
import type { Contour } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Points } from "./points.js";

/**
 * Sums the differences up, each modulo 2^32, so that every result is a 32-bit integer again.
 * @param contour of whole points (check-request.ts); a missing one has none
 */
export function pointsOf(contour: Contour | undefined): Points {
  const points = contour ? decodeDeltas(contour.deltas) : new Int32Array(0);
  let x = 0;
  let y = 0;
  for (let i = 0; i < points.length; i += 2) {
    x = (x + (points[i] as number)) | 0;
    y = (y + (points[i + 1] as number)) | 0;
    points[i] = x;
    points[i + 1] = y;
  }
  return points;
}
