/**
 * What one asset costs in each stage of its way, on one core: the same rows as `npm run bench -- pipeline`, every stage given what the one
 * before it made: `npm run bench -- stages`. Without the way between threads, which the pipeline's own figures hold.
 */
import { createHash } from "node:crypto";
import { AssetExported, AssetOutcome, ColourMode, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { assetMessageId } from "../../proto/pipeline.js";
import { readAssetRow, readLiftedRow } from "../../services/filter/asset-row.js";
import { filterAsset } from "../../services/filter/filter-asset.js";
import { prepareContext } from "../../services/filter/filter-context.js";
import { decodeHead } from "../../services/packager/outcome-head.js";
import { maskScene } from "../../services/rasterizer/mask-scene.js";
import { Painter } from "../../services/rasterizer/paint.js";
import { RunPngEncoder } from "../../services/rasterizer/png-runs.js";
import { fixtureClasses, fixtureRows } from "./export-fixture.js";
import { median } from "./median.js";

const ROUNDS = 15;
const ROWS = 100;
const FIXTURE = { assets: ROWS, width: 1920, height: 1080, decimals: 1, objects: 15 };
const LIMITS = { imagePixels: 2 ** 28, pointsPerContour: 200_000, pointsPerAsset: 2_000_000, partsPerAsset: 10_000, readsImages: false };
const RUN = "01JD0000000000000000000000";

/** A stage takes an asset's number. */
interface Stage {
  readonly role: string;
  readonly name: string;
  /** Contained in another stage. */
  readonly within?: true;
  readonly work: (asset: number) => void;
}

export async function stageBench(): Promise<void> {
  const stages = stagesOf([...fixtureRows(FIXTURE)].map((row) => Buffer.from(row)));
  const costs = stages.map((): number[] => []);
  for (let round = -3; round < ROUNDS; round++) {
    for (const [at, { work }] of stages.entries()) {
      const start = performance.now();
      for (let asset = 0; asset < ROWS; asset++) work(asset);
      if (round >= 0) costs[at]?.push(((performance.now() - start) / ROWS) * 1000);
    }
  }
  console.log(`stages: one asset of ${FIXTURE.width}x${FIXTURE.height} on one core, medians of ${ROUNDS} rounds of ${ROWS} assets`);
  console.log("| role | stage | microseconds an asset |");
  console.log("|---|---|---|");
  const medians = costs.map(median);
  for (const [at, { role, name, within }] of stages.entries()) {
    console.log(`| ${role} | ${within ? "of which: " : ""}${name} | ${medians[at]?.toFixed(0)} |`);
  }
  const sum = stages.reduce((total, { within }, at) => total + (within ? 0 : (medians[at] ?? 0)), 0);
  console.log(`| | all stages | ${sum.toFixed(0)} |`);
}

function stagesOf(rows: readonly Buffer[]): Stage[] {
  const context = prepareContext({
    ...RunContext.decode(new Uint8Array()),
    mode: ColourMode.GRAY,
    classes: fixtureClasses().map(({ schemaId, title }, index) => ({ schemaIds: [schemaId], title, value: index + 1 })),
    stages: [{ id: "Label", name: "Label", type: "Label" }],
  });
  const envelopeOf = (index: number) => ({
    run: RUN,
    gateway: "gateway",
    packager: "packager",
    epoch: 0,
    round: 0,
    index,
    part: 0,
    parts: 0,
  });
  const first = <T>(list: readonly T[]): T => {
    if (list.length !== 1) throw new Error(`a stage made ${list.length} messages of one`);
    return list[0] as T;
  };
  const exportedBytes = rows.map((row, index) => AssetExported.encode({ envelope: envelopeOf(index), row }).finish());
  const exported = exportedBytes.map((bytes) => AssetExported.decode(bytes));
  const filtered = (message: AssetExported) => {
    const result = filterAsset(message, new Map(), context, LIMITS);
    if ("needed" in result) throw new Error("the fixture's rows have sizes, and yet an image is needed");
    return result.outputs;
  };
  const requestedBytes = exported.map((message) => first(filtered(message)).body);
  const requested = requestedBytes.map((bytes) => MaskRequested.decode(bytes));
  const scenes = requested.map(maskScene);
  const painter = new Painter();
  const encoder = new RunPngEncoder();
  const pngs = scenes.map(({ scene, format }) => {
    encoder.start(format);
    painter.paint(scene, (row, above) => encoder.row(row, above));
    return Buffer.from(encoder.finish());
  });
  const outcomes = requested.map(({ envelope, asset, width, height, dropped }, at): AssetOutcome => {
    const png = pngs[at] ?? Buffer.alloc(0);
    const sha256 = createHash("sha256").update(png).digest();
    return { envelope, asset, outcome: { $case: "rendered", value: { width, height, png, sha256, pixels: [], dropped } } };
  });
  const outcomeBytes = outcomes.map((outcome) => AssetOutcome.encode(outcome).finish());
  const of = <T>(list: readonly T[], asset: number) => list[asset] as T;
  return [
    {
      role: "gateway",
      name: "row to message",
      work: (asset) => {
        assetMessageId(envelopeOf(asset));
        AssetExported.encode({ envelope: envelopeOf(asset), row: of(rows, asset) }).finish();
      },
    },
    { role: "filter", name: "message to row", work: (asset) => AssetExported.decode(of(exportedBytes, asset)) },
    { role: "filter", name: "row to request: JSON, rules, geometry", work: (asset) => filtered(of(exported, asset)) },
    { role: "filter", name: "JSON, coordinates lifted", within: true, work: (asset) => readLiftedRow(of(rows, asset)) },
    { role: "filter", name: "JSON.parse instead (not on the way)", within: true, work: (asset) => readAssetRow(of(rows, asset)) },
    { role: "rasterizer", name: "message to scene", work: (asset) => maskScene(MaskRequested.decode(of(requestedBytes, asset))) },
    {
      role: "rasterizer",
      name: "paint and encode",
      work: (asset) => {
        const { scene, format } = of(scenes, asset);
        encoder.start(format);
        painter.paint(scene, (row, above) => encoder.row(row, above));
        encoder.finish();
      },
    },
    { role: "rasterizer", name: "paint", within: true, work: (asset) => painter.paint(of(scenes, asset).scene, () => undefined) },
    { role: "rasterizer", name: "SHA-256", work: (asset) => createHash("sha256").update(of(pngs, asset)).digest() },
    { role: "rasterizer", name: "outcome to message", work: (asset) => AssetOutcome.encode(of(outcomes, asset)).finish() },
    { role: "packager", name: "message to head", work: (asset) => decodeHead(of(outcomeBytes, asset)) },
  ];
}
