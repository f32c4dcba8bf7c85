import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import sharp from "sharp";
import { encodeDeltas } from "../../proto/deltas.js";
import { AssetOutcome, ColourMode, type MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { SharpPngEncoder } from "./encode-sharp.js";
import { Painter } from "./paint.js";
import { RunPngEncoder } from "./png-runs.js";
import { type Renderer, renderMask } from "./render-mask.js";

const LIMITS = { imagePixels: 2 ** 28, imageSide: 2 ** 17, edgeRows: 1e8, pngBytes: 2 ** 20 };
const renderer: Renderer = { painter: new Painter(), encoder: new RunPngEncoder(), limits: LIMITS };

const ENVELOPE = { run: "R1", gateway: "g0", packager: "p0", epoch: 2, round: 1, index: 7, part: 1, parts: 3 };
const ASSET = { taskId: "t1", assetId: "a1", externalId: "x.png", batches: ["b"], page: 2 };
/** 6 x 4: a box of class 4 with a hole, and a point of class 2 on it. */
const REQUEST: MaskRequested = {
  envelope: ENVELOPE,
  asset: ASSET,
  width: 6,
  height: 4,
  mode: ColourMode.GRAY,
  shapes: [
    {
      classIndex: 4,
      value: 9,
      zones: [
        { region: { deltas: encodeDeltas([0, 0, 3, 0, 0, 3, -3, 0]) }, holes: [{ deltas: encodeDeltas([1, 1, 1, 0, 0, 1, -1, 0]) }] },
      ],
    },
    { classIndex: 2, value: 5, zones: [{ region: { deltas: encodeDeltas([0, 0]) }, holes: [] }] },
  ],
  dropped: [{ kind: "bounding-box", count: 3 }],
};

async function outcomeOf(message: MaskRequested, by: Renderer = renderer) {
  const [output, ...others] = await renderMask(message, by);
  assert.equal(others.length, 0);
  assert.deepEqual([output?.queue, output?.suffix], ["out.p0", "/m"]);
  return AssetOutcome.decode(output?.body ?? Buffer.alloc(0));
}

async function rejection(change: Partial<MaskRequested>, limits: Partial<Renderer["limits"]> = {}) {
  const { envelope, asset, outcome } = await outcomeOf({ ...REQUEST, ...change }, { ...renderer, limits: { ...LIMITS, ...limits } });
  assert.deepEqual([envelope, asset], [ENVELOPE, ASSET]);
  assert.ok(outcome?.$case === "rejected");
  return outcome.value;
}

describe("STEP 3 renders a mask", () => {
  it("as a PNG with its hash and the pixels of each class", async () => {
    const { envelope, asset, outcome } = await outcomeOf(REQUEST);
    assert.deepEqual([envelope, asset], [ENVELOPE, ASSET]);
    assert.ok(outcome?.$case === "rendered");
    const { width, height, png, sha256, pixels, dropped } = outcome.value;
    assert.deepEqual([width, height, dropped], [6, 4, REQUEST.dropped]);
    assert.ok(sha256.equals(createHash("sha256").update(png).digest()));
    assert.deepEqual(pixels, [
      { classIndex: 2, pixels: 1 },
      { classIndex: 4, pixels: 11 },
    ]);
    const raw = await sharp(png).toColourspace("b-w").raw().toBuffer();
    const rows = Array.from({ length: 4 }, (_, y) => [...raw.subarray(y * 6, y * 6 + 6)].join(""));
    assert.deepEqual(rows, ["599900", "900900", "900900", "999900"]);
  });

  it("in colour", async () => {
    const shapes = REQUEST.shapes.map((shape) => ({ ...shape, value: shape.value * 0x010203 }));
    const { outcome } = await outcomeOf({ ...REQUEST, mode: ColourMode.RGB, shapes });
    assert.ok(outcome?.$case === "rendered");
    const raw = await sharp(outcome.value.png).raw().toBuffer();
    assert.deepEqual([...raw.subarray(0, 9)], [5, 10, 15, 9, 18, 27, 9, 18, 27]);
  });

  it("to the same bytes every time, and to the same pixels by the reference encoder", async () => {
    assert.deepEqual(await renderMask(REQUEST, renderer), await renderMask(REQUEST, { ...renderer, painter: new Painter() }));
    const [ours, theirs] = await Promise.all([
      outcomeOf(REQUEST),
      outcomeOf(REQUEST, { painter: new Painter(), encoder: new SharpPngEncoder(), limits: LIMITS }),
    ]);
    assert.ok(ours.outcome?.$case === "rendered" && theirs.outcome?.$case === "rendered");
    assert.deepEqual(ours.outcome.value.pixels, theirs.outcome.value.pixels);
    assert.deepEqual(await sharp(ours.outcome.value.png).raw().toBuffer(), await sharp(theirs.outcome.value.png).raw().toBuffer());
  });

  it("without objects as background, and counts no pixels of a class that is hidden or outside", async () => {
    const empty = await outcomeOf({ ...REQUEST, shapes: [] });
    assert.ok(empty.outcome?.$case === "rendered" && empty.outcome.value.pixels.length === 0);
    const outside = { classIndex: 8, value: 1, zones: [{ region: { deltas: encodeDeltas([90, 90]) }, holes: [] }] };
    const { outcome } = await outcomeOf({ ...REQUEST, shapes: [outside, ...REQUEST.shapes] });
    assert.ok(outcome?.$case === "rendered");
    assert.deepEqual(
      outcome.value.pixels.map(({ classIndex }) => classIndex),
      [2, 4],
    );
  });

  it("counts classes apart that share a value", async () => {
    const box = (classIndex: number, x: number) => ({
      classIndex,
      value: 9,
      zones: [{ region: { deltas: encodeDeltas([x, 0, 1, 0]) }, holes: [] }],
    });
    const { outcome } = await outcomeOf({ ...REQUEST, shapes: [box(1, 0), box(0, 2), box(1, 4)] });
    assert.ok(outcome?.$case === "rendered");
    assert.deepEqual(outcome.value.pixels, [
      { classIndex: 0, pixels: 2 },
      { classIndex: 1, pixels: 4 },
    ]);
  });

  it("of far-away points at the cost of its own rows", async () => {
    const far = {
      classIndex: 1,
      value: 9,
      zones: [{ region: { deltas: encodeDeltas([-(2 ** 31), -(2 ** 31), -1, 0, 0, -1]) }, holes: [] }],
    };
    const limits = { ...LIMITS, edgeRows: 3 * REQUEST.height };
    const { outcome } = await outcomeOf({ ...REQUEST, shapes: [far] }, { ...renderer, limits });
    assert.ok(outcome?.$case === "rendered", "three edges, each on every row");
  });
});

describe("STEP 3 rejects", () => {
  it("an image that is too large, before it takes memory for it", async () => {
    assert.deepEqual(await rejection({ width: 2 ** 17, height: 2 ** 17 }), {
      code: "over_limit",
      reason: "it is 131072 x 131072 pixels; this installation paints 268435456 an image (IMAGE_PIXEL_LIMIT)",
    });
    assert.deepEqual(await rejection({ width: 2 ** 32 - 1, height: 1 }), {
      code: "over_limit",
      reason: "it is 4294967295 x 1 pixels; this installation paints 131072 a side (IMAGE_SIDE_LIMIT)",
    });
  });

  it("edges that would take too long", async () => {
    assert.deepEqual(await rejection({}, { edgeRows: 10 }), {
      code: "over_limit",
      reason: "its edges cross 17 image rows in sum; this installation paints 10 (EDGE_ROW_LIMIT)",
    });
  });

  for (const [name, encoder] of [
    ["runs", new RunPngEncoder(100)],
    ["sharp", new SharpPngEncoder(100)],
  ] as const) {
    it(`a file with more bytes than the limit, with the encoder "${name}", and renders the next one`, async () => {
      const limits = { ...LIMITS, pngBytes: 100 };
      const specks = Array.from({ length: 60 }, (_, at) => ({
        region: { deltas: encodeDeltas([(at * 37) % 64, (at * 23) % 64]) },
        holes: [],
      }));
      const message = { ...REQUEST, width: 64, height: 64, shapes: [{ classIndex: 0, value: 1, zones: specks }] };
      const { outcome } = await outcomeOf(message, { ...renderer, encoder, limits });
      assert.deepEqual(outcome, {
        $case: "rejected",
        value: { code: "over_limit", reason: "its file has more than the 100 bytes that this installation writes (PNG_LIMIT)" },
      });
      const next = await outcomeOf(REQUEST, { ...renderer, encoder, limits });
      assert.ok(next.outcome?.$case === "rendered" && next.outcome.value.png.length <= 100);
    });
  }

  it("half a point", async () => {
    const shapes = [...REQUEST.shapes, { classIndex: 0, value: 1, zones: [{ region: { deltas: encodeDeltas([1, 2, 3]) }, holes: [] }] }];
    assert.deepEqual(await rejection({ shapes }), {
      code: "bad_geometry",
      reason: "object 3 of those to be painted has a contour of 3 numbers, which are no pairs of x and y",
    });
  });

  it("an image without pixels", async () => {
    assert.deepEqual(await rejection({ width: 0 }), { code: "no_size", reason: "it is 0 x 4 pixels, which is no image" });
  });

  it("what another version may have sent: unknown modes, impossible values", async () => {
    assert.match((await rejection({ mode: ColourMode.UNSPECIFIED })).reason, /colour mode 0 is unknown/);
    const shapes = REQUEST.shapes.map((shape) => ({ ...shape, value: 256 }));
    assert.deepEqual(await rejection({ shapes }), {
      code: "failed",
      reason: "object 1 of those to be painted has the value 256; allowed: 1 to 255",
    });
  });
});
