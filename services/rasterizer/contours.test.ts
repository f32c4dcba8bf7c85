import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeDeltas } from "../../proto/deltas.js";
import { Contour } from "../../proto/gen/maskline/v1/pipeline.js";
import { pointsOf } from "./contours.js";

describe("the points of a contour", () => {
  it("are the sums of its differences", () => {
    assert.deepEqual(pointsOf({ deltas: encodeDeltas([5, 7, -2, 0, 0, 3]) }), Int32Array.of(5, 7, 3, 7, 3, 10));
  });

  it("wrap around, so that any two 32-bit points are one difference apart", () => {
    const low = -(2 ** 31);
    const high = 2 ** 31 - 1;
    const deltas = [low, high, (high - low) | 0, (low - high) | 0];
    const sent = Contour.decode(Contour.encode({ deltas: encodeDeltas(deltas) }).finish());
    assert.deepEqual(pointsOf(sent), Int32Array.of(low, high, high, low));
  });

  it("are none when there is no contour, or an empty one", () => {
    assert.equal(pointsOf(undefined).length, 0);
    assert.equal(pointsOf({ deltas: encodeDeltas([]) }).length, 0);
  });
});
