import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeDeltas } from "../../proto/deltas.js";
import { ColourMode, type MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { MaskRenderer } from "./mask-renderer.js";
import { maskScene } from "./mask-scene.js";
import { Painter } from "./paint.js";
import { RunPngEncoder } from "./png-runs.js";
import type { MaskLimits } from "./settings.js";

const LIMITS: MaskLimits = { imagePixels: 2 ** 28, imageSide: 2 ** 17, edgeRows: 1e8, pngBytes: 2 ** 26 };
const MEBIBYTE = 2 ** 20;

/** A polygon that goes up and down between the upper and the lower border: every edge crosses all rows. */
function teeth(side: number, points: number): MaskRequested {
  const step = Math.floor(side / points);
  const deltas = Array.from({ length: points }, (_, at) => (at === 0 ? [0, 0] : [step, at % 2 === 1 ? side - 1 : 1 - side]));
  return {
    envelope: { run: "R1", gateway: "g0", packager: "p0", epoch: 1, round: 0, index: 0, part: 0, parts: 1 },
    asset: { taskId: "t1", assetId: "", externalId: "", batches: [] },
    width: side,
    height: side,
    mode: ColourMode.GRAY,
    shapes: [{ classIndex: 0, value: 1, zones: [{ region: { deltas: encodeDeltas(deltas.flat()) }, holes: [] }] }],
    dropped: [],
  };
}
const HUGE = teeth(2000, 200);
const USUAL = teeth(1000, 10);

/** Its buffer for the file grows to so many bytes, whatever is written. */
class GrowingEncoder extends RunPngEncoder {
  constructor(
    private readonly grown: number,
    private readonly fails = false,
  ) {
    super();
  }

  override get heldBytes(): number {
    return this.grown;
  }

  override finish(): Uint8Array {
    if (this.fails) throw new Error("full");
    return super.finish();
  }
}

describe("a renderer of many masks", () => {
  it("gives up the painter's buffers that a huge mask made grow", async () => {
    const painter = new Painter();
    painter.paint(maskScene(HUGE).scene, () => undefined);
    assert.ok(painter.heldBytes > 4 * MEBIBYTE, "the mask is huge");
    const renderer = new MaskRenderer(LIMITS, () => new RunPngEncoder());
    const held = renderer.heldBytes;
    await renderer.render(HUGE);
    assert.equal(renderer.heldBytes, held);
  });

  it("gives up the encoder's, also when the mask failed", async () => {
    const sizes = [5 * MEBIBYTE, 5 * MEBIBYTE, MEBIBYTE];
    let encoders = 0;
    const renderer = new MaskRenderer(LIMITS, () => new GrowingEncoder(sizes[encoders++] ?? 0, encoders === 2));
    await renderer.render(USUAL);
    assert.equal(encoders, 2);
    await assert.rejects(renderer.render(USUAL), /full/);
    assert.equal(encoders, 3);
    await renderer.render(USUAL);
    assert.equal(encoders, 3, "a small one is kept");
  });

  it("keeps what usual masks take", async () => {
    const renderer = new MaskRenderer(LIMITS, () => new RunPngEncoder());
    const fresh = renderer.heldBytes;
    await renderer.render(USUAL);
    const held = renderer.heldBytes;
    assert.ok(held > fresh);
    await renderer.render(USUAL);
    assert.equal(renderer.heldBytes, held);
  });
});
