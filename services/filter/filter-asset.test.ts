import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeDeltas } from "../../proto/deltas.js";
import { AssetOutcome, ColourMode, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Settings } from "../../proto/gen/maskline/v1/run.js";
import type { StepOutput } from "../runtime/step.js";
import { type Filtered, filterAsset } from "./filter-asset.js";
import { prepareContext } from "./filter-context.js";
import type { FilterLimits } from "./limits.js";
import type { ImageSizes } from "./size.js";

const ENVELOPE = { run: "R1", gateway: "g0", packager: "p0", epoch: 2, round: 1, index: 41, part: 0, parts: 0 };
const LIMITS: FilterLimits = { imagePixels: 10_000, pointsPerContour: 100, pointsPerAsset: 150, partsPerAsset: 5, readsImages: true };
const SETTINGS: Settings = {
  classMappingType: "single_channel_sequential",
  exportReviewedAssets: true,
  exportLabeledAssets: true,
  batchNames: [],
  verbose: true,
  verboseFrequency: 1000,
  includeKeyFramesOnly: false,
};

const context = (settings: Partial<Settings> = {}) =>
  prepareContext({
    run: "R1",
    session: "session",
    projectId: "project",
    archiveName: "masks.zip",
    settings: { ...SETTINGS, ...settings },
    mode: ColourMode.GRAY,
    classes: [
      { title: "Car", value: 1, schemaIds: ["c1"] },
      { title: "Road", value: 2, schemaIds: ["r1"] },
    ],
    stages: [
      { id: "s1", name: "Label", type: "Label" },
      { id: "s2", name: "Review", type: "Review" },
      { id: "s3", name: "Complete", type: "Complete" },
    ],
  });

const asset = (row: string) => ({ envelope: ENVELOPE, row: Buffer.from(row) });
const NO_IMAGES: ImageSizes = new Map();

/** What is sent, when no image is needed for it. */
function outputsOf(filtered: Filtered): readonly StepOutput[] {
  return "outputs" in filtered ? filtered.outputs : assert.fail(`images are needed: ${JSON.stringify(filtered.needed)}`);
}

const filterText = (row: string, settings: Partial<Settings> = {}) =>
  outputsOf(filterAsset(asset(row), NO_IMAGES, context(settings), LIMITS));
const filter = (row: object, settings: Partial<Settings> = {}) => filterText(JSON.stringify(row), settings);

const isMask = ({ queue }: StepOutput) => queue === "raster";
const masks = (outputs: readonly StepOutput[]) => outputs.filter(isMask).map(({ body }) => MaskRequested.decode(body));
const outcomes = (outputs: readonly StepOutput[]) =>
  outputs.filter((output) => !isMask(output)).map(({ body }) => AssetOutcome.decode(body));

function onlyMask(outputs: readonly StepOutput[]): MaskRequested {
  assert.equal(outputs.length, 1);
  return masks(outputs)[0] ?? assert.fail("no mask was requested");
}

function onlyOutcome(outputs: readonly StepOutput[]) {
  assert.equal(outputs.length, 1);
  assert.equal(outputs[0]?.queue, "out.p0");
  assert.equal(outputs[0]?.suffix, "/f");
  const [message] = outcomes(outputs);
  assert.deepEqual(message?.envelope, ENVELOPE, "it speaks of the whole asset");
  return { asset: message?.asset, outcome: message?.outcome };
}

const square = (at: number) => [
  [at, at],
  [at + 2, at],
  [at + 2, at + 2],
];
const car = (extra: object = {}) => ({ objectId: "o1", schemaId: "c1", title: "Car", polygon: square(1), ...extra });
const v3 = (tools: unknown, extra: object = {}, task: object = {}) => ({
  asset: "https://files.example/a.png?X-Amz-Signature=5ec4e7",
  assetId: "a1",
  externalId: "a.png",
  metadata: { width: 100, height: 50 },
  batches: ["one"],
  task: { taskId: "t1", stage: "Complete", stageId: "s3", tools, ...task },
  ...extra,
});

describe("an asset with one image", () => {
  it("asks for one mask, with the envelope, identity, size and shapes", () => {
    const [output, ...others] = filter(v3([car(), car({ schemaId: "", title: "Road", polygon: square(5) })]));
    assert.deepEqual(others, []);
    assert.equal(output?.suffix, "/p0");
    assert.deepEqual(MaskRequested.decode(output.body), {
      envelope: { ...ENVELOPE, part: 0, parts: 1 },
      asset: { taskId: "t1", assetId: "a1", externalId: "a.png", batches: ["one"], page: undefined },
      width: 100,
      height: 50,
      mode: ColourMode.GRAY,
      shapes: [
        { classIndex: 0, value: 1, zones: [{ region: { deltas: encodeDeltas([1, 1, 2, 0, 0, 2]) }, holes: [] }] },
        { classIndex: 1, value: 2, zones: [{ region: { deltas: encodeDeltas([5, 5, 2, 0, 0, 2]) }, holes: [] }] },
      ],
      dropped: [],
    });
  });

  for (const tools of [[], null, undefined]) {
    it(`asks for an all-background mask when its tools are ${JSON.stringify(tools)}`, () => {
      assert.deepEqual(onlyMask(filter(v3(tools))).shapes, []);
    });
  }

  it("drops objects that can not be painted, counted by kind, and paints the others", () => {
    const { shapes, dropped } = onlyMask(
      filter(
        v3(
          [
            car({ polygon: undefined, "bounding-box": { x: 1 } }),
            car({ polygon: undefined, "bounding-box": { x: 1 } }),
            car({ schemaId: "x", title: "Tree" }),
            car({ schemaId: "x", title: "Tree", polygon: "not looked at" }),
            car({ polygon: [] }),
            car({ polygon: undefined, segmentation: { zones: [] } }),
            car({ polygon: undefined }),
            car({ polygon: false }),
            car({ page: 3 }),
            null,
            car(),
          ],
          { metadata: { width: 100, height: 50, frameTotal: 1 } },
          { brushDataUrl: "https://files.example/b.png", medicalBrushDataUrl: "https://files.example/b.nrrd" },
        ),
      ),
    );
    assert.equal(shapes.length, 1);
    assert.deepEqual(Object.fromEntries(dropped.map(({ kind, count }) => [kind, count])), {
      "bounding-box": 2,
      "unknown class": 2,
      "no points": 2,
      "no geometry": 2,
      "no such page": 1,
      brush: 1,
      "medical-brush": 1,
    });
  });

  it("counts a flood of tool names together", () => {
    const tools = Array.from({ length: 100 }, (_, at) => car({ polygon: undefined, [`tool${at}`]: {} }));
    const { dropped } = onlyMask(filter(v3(tools)));
    assert.equal(dropped.length, 33);
    assert.deepEqual(dropped.at(-1), { kind: "other tools", count: 68 });
  });

  it("never carries a URL of the export", () => {
    const everything = Buffer.concat([...filter(v3([car()])), ...filter(v3([car({ polygon: [["x"]] })]))].map(({ body }) => body));
    assert.ok(!everything.includes("5ec4e7") && !everything.includes("files.example"));
  });

  it("gives the same bytes for the same row", () => {
    assert.deepEqual(filter(v3([car(), car({ page: 9 })])), filter(v3([car(), car({ page: 9 })])));
  });
});

describe("a row of usual size", () => {
  const point = (at: number) => [at * 0.731, (at * 7919) % 997];
  const points = (from: number, count: number) => Array.from({ length: count }, (_, at) => point(from + at));
  const tools = Array.from({ length: 15 }, (_, at) =>
    at < 8
      ? car({ polygon: points(at, 12) })
      : car({ polygon: undefined, segmentation: { zones: [{ region: points(at, 90), holes: [points(at, 10)] }] } }),
  );
  const row = JSON.stringify(
    v3(tools, {}, { stageHistory: [{ stage: "Label", stageId: "s1", completedAt: "2024-01-01T00:00:00Z", tools }] }),
  );
  const roomy = { ...LIMITS, pointsPerContour: 1_000, pointsPerAsset: 10_000 };

  it("comes out the same however often it is filtered, and many times smaller", () => {
    const message = asset(row);
    const prepared = context();
    const filterAgain = () => outputsOf(filterAsset(message, NO_IMAGES, prepared, roomy));
    const [first] = filterAgain();
    assert.ok(first && first.body.length * 5 < row.length);
    assert.equal(MaskRequested.decode(first.body).shapes.length, 15);
    for (let again = 0; again < 500; again += 1) assert.deepEqual(filterAgain()[0]?.body, first.body);
  });
});

describe("rules", () => {
  const skippedBy = (row: object, settings: Partial<Settings>) => {
    const { asset, outcome } = onlyOutcome(filter(row, settings));
    assert.equal(asset?.taskId, "t1");
    return outcome?.$case === "skipped" ? outcome.value.rule : assert.fail("it was not skipped");
  };
  const reviewed = v3([], {}, { stageHistory: [{ stageId: "s2", completedAt: "2024-01-01T00:00:00Z" }] });
  const untouched = v3([], {}, { stage: "Label", stageId: "s1" });

  it("skip by batch before anything else", () => assert.equal(skippedBy(untouched, { batchNames: ["two"] }), "batch_names"));
  it("take an asset that is in any chosen batch", () => assert.ok(onlyMask(filter(v3([]), { batchNames: ["two", "one"] }))));
  it("skip what nobody labeled", () => assert.equal(skippedBy(untouched, {}), "not_labeled"));
  it("skip the reviewed ones when they are not wanted", () => {
    assert.equal(skippedBy(reviewed, { exportReviewedAssets: false }), "export_reviewed_assets");
    assert.ok(onlyMask(filter(v3([]), { exportReviewedAssets: false })));
  });
  it("skip the merely labeled ones when they are not wanted", () => {
    assert.equal(skippedBy(v3([]), { exportLabeledAssets: false }), "export_labeled_assets");
    assert.ok(onlyMask(filter(reviewed, { exportLabeledAssets: false })));
  });
});

describe("a multi-image asset", () => {
  const pages = (count: number) => ({ dataset: Array.from({ length: count }, (_, page) => `https://files.example/${page}.png`) });

  const threePages = JSON.stringify(v3([car(), car({ page: 2 })], pages(3)));
  const withImages = (images: ImageSizes) => filterAsset(asset(threePages), images, context(), LIMITS);
  const second = { width: 30, height: 20 };
  const third = { width: 31, height: 21 };

  it("needs the images of all pages but the first, whose size the export tells", () => {
    const needed = [1, 2].map((image) => ({ image, url: `https://files.example/${image}.png` }));
    assert.deepEqual(withImages(NO_IMAGES), { needed });
    assert.deepEqual(withImages(new Map([[1, second]])), { needed: needed.slice(1) });
  });

  it("is a mask a page, each of its own size", () => {
    const requested = masks(
      outputsOf(
        withImages(
          new Map([
            [1, second],
            [2, third],
          ]),
        ),
      ),
    );
    assert.deepEqual(
      requested.map(({ envelope, asset, width, height, shapes }) => [envelope?.part, asset?.page, width, height, shapes.length]),
      [
        [0, 0, 100, 50, 1],
        [1, 1, 30, 20, 0],
        [2, 2, 31, 21, 1],
      ],
    );
  });

  it("is rejected as a whole when one page has no size, or too large a one", () => {
    const reason = (images: ImageSizes) => {
      const { asset, outcome } = onlyOutcome(outputsOf(withImages(images)));
      assert.deepEqual([asset?.taskId, asset?.page], ["t1", undefined]);
      return outcome?.$case === "rejected" ? `${outcome.value.code}: ${outcome.value.reason}` : assert.fail("it was not rejected");
    };
    const gone = new Map([[2, { problem: "can not be fetched (GET https://files.example/2.png: HTTP 404)" }]]);
    assert.equal(
      reason(gone),
      "no_size: the export does not tell the size of page 3 of 3, and its image can not be fetched (GET https://files.example/2.png: HTTP 404)",
    );
    assert.match(reason(new Map([[1, { width: 101, height: 100 }]])), /^over_limit: page 2 of it has 101 x 100 pixels/);
  });

  it("of one page is a single mask, which drops objects on pages that it does not have", () => {
    const { asset, envelope, shapes, dropped } = onlyMask(filter(v3([car({ page: 0 }), car({ page: 1 }), car({ page: "0" })], pages(1))));
    assert.deepEqual([asset?.page, envelope?.parts, shapes.length], [0, 1, 1]);
    assert.deepEqual(dropped, [{ kind: "no such page", count: 2 }]);
  });
});

describe("a video", () => {
  const video = (tools: object[]) => v3(tools, { metadata: { width: 100, height: 50, frameTotal: 900, frameRate: 30 } });

  it("is a part an annotated frame, in the order of the frames", () => {
    const requested = masks(filter(video([car({ page: 40 }), car({ page: 7 }), car({ page: 40 })])));
    assert.deepEqual(
      requested.map(({ envelope, asset, shapes, width }) => [envelope?.part, envelope?.parts, asset?.page, shapes.length, width]),
      [
        [0, 2, 7, 1, 100],
        [1, 2, 40, 2, 100],
      ],
    );
  });

  it("that does not say how many frames it has is one by its objects beyond the first frame", () => {
    const requested = masks(filter(v3([car(), car({ page: 0 }), car({ page: 31 }), car({ page: 2 ** 40 })])));
    assert.deepEqual(
      requested.map(({ asset, shapes, dropped }) => [asset?.page, shapes.length, dropped.length]),
      [
        [0, 1, 2],
        [31, 1, 0],
      ],
    );
    assert.deepEqual(onlyMask(filter(v3([car(), car({ page: 0 })]))).asset?.page, undefined, "an image");
  });

  it("does not paint an object on the frame from which it is gone", () => {
    assert.deepEqual(
      masks(filter(video([car({ page: 7 }), car({ page: 8, interpolationStopped: true })]))).map(({ shapes }) => shapes.length),
      [1],
    );
  });

  it("without annotated frames is one background mask", () => assert.deepEqual(onlyMask(filter(video([]))).shapes, []));

  it("of an unknown form is a background mask that counts what was not painted", () => {
    const { shapes, dropped } = onlyMask(filter(video([car({ polygon: undefined, frames: [[]] }), car(), car({ page: 900 })])));
    assert.deepEqual(shapes, []);
    assert.deepEqual(dropped, [
      { kind: "unknown video form", count: 2 },
      { kind: "no such page", count: 1 },
    ]);
  });
});

describe("a v2 row", () => {
  const done = { completedAt: "2021-12-08T12:31:36.043Z" };
  const v2 = (...tasks: object[]) => ({ externalId: "a.png", metadata: { width: 100, height: 50 }, batches: ["one"], tasks });

  it("is a part a task, without the skipped ones and those nobody labeled", () => {
    const requested = masks(
      filter(
        v2(
          { taskId: "t1", ...done, objects: [car()] },
          { taskId: "t2", ...done, isSkipped: true },
          { taskId: "t3" },
          { taskId: "t4", ...done, objects: [] },
        ),
      ),
    );
    assert.deepEqual(
      requested.map(({ asset, envelope, shapes }) => [asset?.taskId, envelope?.part, envelope?.parts, shapes.length]),
      [
        ["t1", 0, 2, 1],
        ["t4", 1, 2, 0],
      ],
    );
  });

  it("takes the reviewed tasks alone when only these are wanted", () => {
    const row = v2({ taskId: "t1", ...done, review: { status: "Todo" } }, { taskId: "t2", ...done, review: { status: "Accepted" } });
    assert.deepEqual(onlyMask(filter(row, { exportLabeledAssets: false })).asset?.taskId, "t2");
  });

  it("is skipped when all its tasks are", () => {
    const { outcome } = onlyOutcome(filter(v2({ taskId: "t1", isSkipped: true, ...done })));
    assert.deepEqual(outcome, { $case: "skipped", value: { rule: "not_labeled" } });
  });
});

describe("an asset whose size the export does not tell", () => {
  const row = (extra: object = {}, tools: object[] = [car()]) => JSON.stringify(v3(tools, { metadata: {}, ...extra }));
  const filtered = (text: string, images: ImageSizes = NO_IMAGES, settings: Partial<Settings> = {}) =>
    filterAsset(asset(text), images, context(settings), LIMITS);
  const known: ImageSizes = new Map([[0, { width: 30, height: 20 }]]);

  it("needs its image, and is a mask of that size", () => {
    assert.deepEqual(filtered(row()), { needed: [{ image: 0, url: "https://files.example/a.png?X-Amz-Signature=5ec4e7" }] });
    const { width, height, shapes } = onlyMask(outputsOf(filtered(row(), known)));
    assert.deepEqual([width, height, shapes.length], [30, 20, 1]);
  });

  it("needs one image for all frames of a video", () => {
    const video = row({ metadata: { frameTotal: 9 } }, [car({ page: 3 }), car({ page: 5 })]);
    assert.deepEqual(filtered(video), filtered(row()));
    assert.deepEqual(
      masks(outputsOf(filtered(video, known))).map(({ asset, width }) => [asset?.page, width]),
      [
        [3, 30],
        [5, 30],
      ],
    );
  });

  it("has no image read for it when a rule skips it or something else is wrong with it", () => {
    assert.ok("outputs" in filtered(row(), NO_IMAGES, { batchNames: ["two"] }));
    assert.ok("outputs" in filtered(row({}, [car({ polygon: [["x", 1]] })])));
  });

  it("never passes the URL of its image on", () => {
    const sent = Buffer.concat(outputsOf(filtered(row(), known)).map(({ body }) => body));
    assert.ok(!sent.includes("5ec4e7") && !sent.includes("files.example"));
  });
});

describe("an asset that can not be masks", () => {
  const rejectionOf = (outputs: readonly StepOutput[]) => {
    const { asset, outcome } = onlyOutcome(outputs);
    assert.ok(outcome?.$case === "rejected");
    assert.equal(asset?.externalId, "a.png");
    return `${outcome.value.code}: ${outcome.value.reason}`;
  };
  const rejectedAs = (row: object | string) => rejectionOf(typeof row === "string" ? filterText(row) : filter(row));

  it("is rejected when its row is broken, named by what can be seen of it", () => {
    assert.match(rejectedAs('{"externalId":"a.png","task":{'), /^unreadable_row: .*too early/);
  });
  it("is rejected when it has no task", () => assert.match(rejectedAs({ externalId: "a.png" }), /^unreadable_row: the row has no task/));
  it("is rejected for a coordinate that is none", () => {
    assert.match(rejectedAs(v3([car({ polygon: [[1, "x"]] })])), /^bad_geometry: y of point 1 of the polygon o1 \(Car\) is "x"/);
  });

  const sizes: readonly (readonly [metadata: unknown, reason: RegExp])[] = [
    [undefined, /^no_size: .*metadata\.width is missing, metadata\.height is missing.*FETCH_CONCURRENCY/],
    [{ width: 100 }, /^no_size: .*metadata\.height is missing/],
    [{ width: "100", height: 50 }, /^no_size: .*metadata\.width is "100"/],
    [{ width: 0, height: 50 }, /^no_size/],
    [{ width: 10.5, height: 50 }, /^no_size/],
    [{ width: 101, height: 100 }, /^over_limit: it has 101 x 100 pixels.*10000.*IMAGE_PIXEL_LIMIT/],
  ];
  for (const [metadata, reason] of sizes) {
    it(`is rejected with metadata ${JSON.stringify(metadata)} where no images are read`, () => {
      const row = JSON.stringify(v3([], { metadata }));
      assert.match(rejectionOf(outputsOf(filterAsset(asset(row), NO_IMAGES, context(), { ...LIMITS, readsImages: false }))), reason);
    });
  }
  it("is rejected without a size when the URL of its image is a picture itself, or no URL at all", () => {
    const data = `data:image/png;base64,${"A".repeat(20_000)}`;
    assert.match(rejectedAs(v3([], { metadata: {}, asset: data })), /^no_size: .*, and the URL of its image has 20022 characters$/);
    assert.match(rejectedAs(v3([], { dataset: ["", null] })), /^no_size: .*size of page 2 of 2, nor where its image is$/);
  });
  it("is rejected without size and image", () => {
    assert.match(rejectedAs(v3([], { metadata: null, asset: 7 })), /^no_size: .*metadata\.width is missing.*, nor where its image is/);
  });
  it("is taken at the very limit of pixels", () => {
    assert.equal(onlyMask(filter(v3([], { metadata: { width: 100, height: 100 } }))).width, 100);
  });

  it("is rejected with more points than the limits", () => {
    const points = (count: number) => car({ polygon: new Array(count).fill([0, 0]) });
    assert.match(rejectedAs(v3([points(101)])), /^over_limit: .*POINTS_PER_CONTOUR_LIMIT/);
    assert.match(rejectedAs(v3([points(100), points(51)])), /^over_limit: .*POINTS_PER_ASSET_LIMIT/);
    assert.equal(onlyMask(filter(v3([points(100), points(50)]))).shapes.length, 2);
  });

  it("is rejected with more parts than the limit", () => {
    assert.match(rejectedAs(v3([], { dataset: new Array(6).fill("") })), /^over_limit: it has 6 pages.*PARTS_PER_ASSET_LIMIT/);
    const frames = (count: number) => filter(v3(Array.from({ length: count }, (_, page) => car({ page, polygon: [[1, 1]] }))));
    assert.match(rejectionOf(frames(6)), /^over_limit: it has 6 pages.*PARTS_PER_ASSET_LIMIT.*include_key_frames_only/);
    assert.equal(frames(5).length, 5);
  });

  it("is rejected at once when pages times tasks are more than memory could hold", () => {
    const tasks = new Array(100_000).fill({ taskId: "t" });
    const row = { externalId: "a.png", dataset: new Array(100_000).fill(""), labeledAt: "2021-12-08T12:31:36.043Z", tasks };
    assert.match(rejectedAs(row), /^over_limit: it has 10000000000 pages/);
  });

  it("is rejected when its ids would be repeated without end", () => {
    const row = v3([], { dataset: new Array(5).fill(""), batches: ["b".repeat(4_000_000)] });
    assert.match(rejectedAs(row), /^over_limit: its ids and batch names have 4000008 characters/);
  });
});

describe("any row", () => {
  const keys = fc.constantFrom(
    ..."task tasks tools objects stageHistory metadata width height frameTotal dataset batches polygon segmentation zones region holes".split(
      " ",
    ),
    ..."page title schemaId taskId completedAt reviewStatus review status isSkipped labeledAt interpolationStopped".split(" "),
  );
  const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
    hostile: fc.oneof(
      { maxDepth: 8 },
      fc.constantFrom(null, true, 0, -1, 3, 1e300, "", "Car", "c1", "Complete", "2024-01-01"),
      fc.array(tie("hostile"), { maxLength: 4 }),
      fc.dictionary(keys, tie("hostile"), { maxKeys: 8 }),
    ),
  }));
  const answered = (text: string) => {
    const anySize: ImageSizes = new Map(Array.from({ length: LIMITS.partsPerAsset }, (_, image) => [image, { width: 9, height: 9 }]));
    const outputs = outputsOf(filterAsset(asset(text), anySize, context(), LIMITS));
    assert.ok(outputs.length > 0);
    assert.equal(new Set(outputs.map(({ suffix }) => suffix)).size, outputs.length, "the ids differ");
    for (const request of masks(outputs)) assert.ok(request.width >= 1 && request.height >= 1);
    for (const { outcome } of outcomes(outputs)) assert.ok(outcome);
  };

  it("of any JSON is answered, and never throws", () => fc.assert(fc.property(fc.json(), answered)));
  it("of the export's own words in any order is answered, and never throws", () => {
    fc.assert(
      fc.property(hostile, (value) => answered(JSON.stringify(value))),
      { numRuns: 1000 },
    );
  });
  it("with anything for tools is answered, and never throws", () => {
    fc.assert(
      fc.property(hostile, (tools) => answered(JSON.stringify(v3(tools)))),
      { numRuns: 500 },
    );
  });
  it("of any bytes is answered, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const message = { envelope: ENVELOPE, row: Buffer.from(bytes) };
        assert.ok(outputsOf(filterAsset(message, NO_IMAGES, context(), LIMITS)).length > 0);
      }),
    );
  });
});
