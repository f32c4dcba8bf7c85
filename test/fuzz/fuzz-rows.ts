/**
 * Mutated rows through the steps as they are: filter, rasterizer, and the packager's ledger, which decides how each asset ended. Messages
 * pass as the bytes that travel, and some of them are mutated on the way, too.
 */
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { decodeDeltas, encodeDeltas } from "../../proto/deltas.js";
import { AssetExported, AssetOutcome, ColourMode, type Envelope, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Settings } from "../../proto/gen/maskline/v1/run.js";
import { pipeline } from "../../proto/pipeline.js";
import { filterAsset } from "../../services/filter/filter-asset.js";
import { type FilterContext, prepareContext } from "../../services/filter/filter-context.js";
import type { FilterLimits } from "../../services/filter/limits.js";
import { rejectAsset as rejectRow } from "../../services/filter/reject-asset.js";
import type { ImageSizes } from "../../services/filter/size.js";
import { Ledger } from "../../services/packager/ledger.js";
import { decodeHead } from "../../services/packager/outcome-head.js";
import { MaskRenderer } from "../../services/rasterizer/mask-renderer.js";
import { RunPngEncoder } from "../../services/rasterizer/png-runs.js";
import { rejectAsset as rejectMask } from "../../services/rasterizer/reject-asset.js";
import type { StepOutput } from "../../services/runtime/step.js";
import { type Dice, dice } from "./dice.js";
import { mutantRow, URL_SECRET } from "./row-mutants.js";
import { Ends, type Heartbeat, sum, type Tally } from "./tally.js";

const FILTER_LIMITS: FilterLimits = {
  imagePixels: 64 * 64,
  pointsPerContour: 128,
  pointsPerAsset: 300,
  partsPerAsset: 8,
  readsImages: true,
};
const MASK_LIMITS = { imagePixels: 64 * 64, imageSide: 64, edgeRows: 3_000, pngBytes: 4_096 };
const MOST_REASON_CHARACTERS = 2_000;
/** Of the mutants, some are looked at more closely. */
const LOOK_CLOSER_EVERY = 8;

const PACKAGER = "p1";
const QUEUES = [pipeline.maskRequested.queue(), pipeline.assetOutcome.queue(PACKAGER)];

function context(settings: Partial<Settings>, mode: ColourMode): FilterContext {
  const colour = (gray: number, rgb: number) => (mode === ColourMode.GRAY ? gray : rgb);
  return prepareContext({
    run: "R",
    session: "S",
    projectId: "P",
    archiveName: "masks.zip",
    settings: {
      classMappingType: "",
      exportReviewedAssets: true,
      exportLabeledAssets: true,
      batchNames: [],
      verbose: true,
      verboseFrequency: 1000,
      includeKeyFramesOnly: false,
      ...settings,
    },
    mode,
    classes: [
      { title: "Road", value: colour(1, 0x804080), schemaIds: ["road"] },
      { title: "Car", value: colour(2, 0x00008e), schemaIds: ["car"] },
    ],
    stages: [
      { id: "Start", name: "Start", type: "Start" },
      { id: "label-stage", name: "Labeling", type: "Label" },
      { id: "review-stage", name: "Quality", type: "Review" },
    ],
  });
}

const ALL = context({}, ColourMode.GRAY);
const CONTEXTS = [
  ALL,
  ALL,
  ALL,
  ALL,
  ALL,
  context({}, ColourMode.RGB),
  context({ batchNames: ["north"] }, ColourMode.GRAY),
  context({ exportReviewedAssets: false }, ColourMode.GRAY),
  context({ exportLabeledAssets: false }, ColourMode.RGB),
] as const;

/** Tries mutants `from` to `end` of the seed. @throws Error that names the first mutant that breaks a promise. */
export async function fuzzRows(seed: number, from: number, end: number, beat: Heartbeat): Promise<Tally> {
  const ends = new Ends();
  const ledger = new Ledger();
  const renderer = new MaskRenderer(MASK_LIMITS, () => new RunPngEncoder(MASK_LIMITS.pngBytes));
  for (let number = from; number < end; number++) {
    beat(number);
    const startedAt = performance.now();
    try {
      await tryRow(dice(seed, "rows", number), number - from, { ledger, renderer, ends });
    } catch (cause) {
      throw new Error(`mutant rows/${number} of seed ${seed}`, { cause });
    }
    ends.took(number, performance.now() - startedAt);
  }
  const { maskedAssets, skipped, rejected } = ledger.counts();
  const rows = end - from;
  assert.ok(ledger.isComplete(rows), "every row has an outcome");
  assert.equal(maskedAssets + sum(Object.values(skipped)) + sum(Object.values(rejected)), rows, "rows in are outcomes out");
  return ends.tally();
}

interface Stage {
  readonly ledger: Ledger;
  readonly renderer: MaskRenderer;
  readonly ends: Ends;
}

async function tryRow(random: Dice, index: number, { ledger, renderer, ends }: Stage): Promise<void> {
  const filterContext = random.pick(CONTEXTS);
  const row = mutantRow(random, index);
  const envelope: Envelope = { run: "R", gateway: "G", packager: PACKAGER, epoch: 1, round: 0, index, part: 0, parts: 0 };
  const message = AssetExported.encode({ envelope, row }).finish();
  const failsThere = random.chance(0.01);
  const filtered = failsThere
    ? (rejectRow(message, { code: "failed", reason: "the filter gave it up" }) ?? [])
    : filter(message, filterContext, random, index % LOOK_CLOSER_EVERY === 0);
  assert.ok(filtered.length >= 1 && filtered.length <= FILTER_LIMITS.partsPerAsset, `${filtered.length} messages came of it`);

  const outcomes: StepOutput[] = [];
  for (const output of filtered) {
    assert.ok(QUEUES.includes(output.queue), `a message for ${output.queue}`);
    if (output.queue !== pipeline.maskRequested.queue()) outcomes.push(output);
    else outcomes.push(...(await render(output.body, renderer, random)));
  }
  assert.equal(outcomes.length, filtered.length, "an outcome a part");
  for (const { body } of outcomes) account(body, index, ledger, random);
  const drops = settle(index, ledger, outcomes, ends);
  for (const kind of drops) ends.add(`dropped ${kind}`);
}

/** Sizes that the export does not tell are told by images, which may say anything, or nothing. */
function filter(message: Uint8Array, filterContext: FilterContext, random: Dice, twice: boolean): readonly StepOutput[] {
  const images: Map<number, NonNullable<ReturnType<ImageSizes["get"]>>> = new Map();
  const filterOnce = () => filterAsset(AssetExported.decode(message), images, filterContext, FILTER_LIMITS);
  for (let filtered = filterOnce(); ; filtered = filterOnce()) {
    if ("outputs" in filtered) {
      if (twice) assert.deepEqual(filterOnce(), filtered, "the same row with the same sizes gives the same bytes");
      return filtered.outputs;
    }
    assert.ok(filtered.needed.length > 0 && filtered.needed.every(({ image }) => !images.has(image)), "each image is asked for once");
    for (const { image } of filtered.needed) {
      const size = { width: random.between(1, 40), height: random.pick([1, 7, 30, 10_000]) };
      images.set(image, random.chance(0.3) ? { problem: "is no image" } : size);
    }
  }
}

async function render(body: Uint8Array, renderer: MaskRenderer, random: Dice): Promise<StepOutput[]> {
  const request = MaskRequested.decode(body);
  if (random.chance(0.02)) garble(request, random);
  if (random.chance(0.01))
    return rejectMask(MaskRequested.encode(request).finish(), { code: "failed", reason: "the rasterizer gave it up" }) ?? [];
  const outputs = await renderer.render(request);
  if (random.chance(1 / LOOK_CLOSER_EVERY)) for (const output of outputs) checkPng(AssetOutcome.decode(output.body), request.mode);
  return outputs;
}

/** What only another version, or somebody who means harm, would send. */
function garble(request: MaskRequested, random: Dice): void {
  const shape = request.shapes[0];
  const region = shape?.zones[0]?.region;
  switch (random.below(6)) {
    case 0:
      request.mode = random.pick([ColourMode.UNSPECIFIED, 77 as ColourMode]);
      return;
    case 1:
      if (shape) shape.value = random.pick([0, 256, 0xffffffff]);
      else request.mode = ColourMode.UNSPECIFIED;
      return;
    case 2:
      if (region) region.deltas = encodeDeltas([...decodeDeltas(region.deltas), random.pick([0, 2 ** 31 - 1, -(2 ** 31)])]);
      return;
    case 3:
      if (region)
        region.deltas = encodeDeltas(decodeDeltas(region.deltas).map(() => random.pick([2 ** 31 - 1, -(2 ** 31), -1, 0, 65_536])));
      return;
    case 4:
      if (region) region.deltas = Buffer.concat([region.deltas, Buffer.from(random.pick([[0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0x01]]))]);
      return;
    default:
      request.width = random.pick([0, 65, 0xffffffff]);
  }
}

/** The ledger takes the outcome as a record of the packager's log: perhaps twice, perhaps with another number of parts than before. */
function account(body: Uint8Array, index: number, ledger: Ledger, random: Dice): void {
  const head = decodeHead(body);
  assert.ok(head, "the packager can read the outcome");
  assert.equal(head.cell.index, index);
  const location = { offset: index * 10, length: 10 };
  if (head.cell.parts > 1 && random.chance(0.12)) ledger.accept({ ...head.cell, parts: head.cell.parts + 1 }, location);
  ledger.accept(head.cell, location);
  if (random.chance(0.1)) assert.equal(ledger.accept(head.cell, location), "duplicate", "the same outcome again is no news");
}

/** How the asset ended; the kinds of objects that were dropped from it. */
function settle(index: number, ledger: Ledger, outcomes: readonly StepOutput[], ends: Ends): Set<string> {
  const final = ledger.final(index);
  assert.ok(final, "the asset is final");
  const decoded = outcomes.map(({ body }) => AssetOutcome.decode(body));
  const dropped = new Set<string>();
  for (const { outcome } of decoded) {
    if (outcome?.$case === "rendered") for (const { kind } of outcome.value.dropped) dropped.add(kind);
    if (outcome?.$case === "rejected") checkReason(outcome.value.reason);
  }
  if (final.kind === "masks") ends.add("masks");
  else if (final.kind === "rejected" && final.contradiction) ends.add("rejected parts_differ");
  else {
    const of = decoded.map(({ outcome }) => outcome).find((outcome) => outcome?.$case === final.kind);
    ends.add(of?.$case === "skipped" ? `skipped ${of.value.rule}` : `rejected ${of?.$case === "rejected" ? of.value.code : "?"}`);
  }
  return dropped;
}

/** For people: on one line, short, and without a URL's signature. */
function checkReason(reason: string): void {
  assert.ok(reason.length > 0 && reason.length <= MOST_REASON_CHARACTERS, `a reason of ${reason.length} characters`);
  assert.ok(!reason.includes(URL_SECRET), `a reason holds a signature: ${reason}`);
  assert.ok(!/[\p{Cc}\u2028\u2029]/u.test(reason), `a reason holds control characters: ${JSON.stringify(reason)}`);
}

/** As much of the PNG as any reader checks (RFC 2083), and that its rows are all there. */
function checkPng({ outcome }: AssetOutcome, mode: ColourMode): void {
  if (outcome?.$case !== "rendered") return;
  const { png, width, height, pixels } = outcome.value;
  assert.equal(png.toString("latin1", 1, 4), "PNG");
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [width, height]);
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const rowBytes = 1 + width * (mode === ColourMode.RGB ? 3 : 1);
  assert.equal(inflateSync(Buffer.concat(parts)).length, rowBytes * height);
  assert.ok(sum(pixels.map((of) => Number(of.pixels))) <= width * height);
}
