/** A project folder for the Hub simulator, as large as a benchmark wants it: the same scenes over and over, under different names. */
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Scene } from "../../services/rasterizer/scene.js";
import { sceneMix, seededRandom } from "./scene-mix.js";

export const CLASSES = ["Road", "Car", "Person", "Tree", "Building", "Sky", "Sign", "Bike"];
/** Different scenes in an export; more would only make the fixture slower to write. */
const SCENES = 100;

export interface FixtureOptions {
  readonly assets: number;
  readonly width: number;
  readonly height: number;
  /** Decimals of a coordinate: 1 makes rows of about 48 kB from all 15 objects. */
  readonly decimals: number;
  /** Objects of the scene mix that are kept, of 15. */
  readonly objects: number;
}

/** Writes project.json and export.ndjson. @returns the bytes of an average row. */
export async function writeFixture(folder: string, options: FixtureOptions): Promise<number> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "project.json"), JSON.stringify(fixtureProject()));
  let bytes = 0;
  const lines = function* () {
    for (const row of fixtureRows(options)) {
      bytes += row.length + 1;
      yield `${row}\n`;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(join(folder, "export.ndjson"), { highWaterMark: 1 << 20 }));
  return bytes / options.assets;
}

/** What Hub knows of the project. */
export function fixtureProject(_id = "0123456789abcdef01234567") {
  const stages = [
    { id: "Start", name: "Start", type: "Start" },
    { id: "Label", name: "Label", type: "Label" },
    { id: "Complete", name: "Complete", type: "Complete" },
  ];
  return { _id, name: "Benchmark", categorySchema: { tools: fixtureClasses() }, stages, batches: [] };
}

/** The ontology's tools. */
export function fixtureClasses() {
  return CLASSES.map((title, index) => ({
    schemaId: `schema-${index}`,
    title,
    tool: index % 2 === 0 ? "polygon" : "segmentation",
    color: `#${(0x203040 + index * 0x171717).toString(16)}`,
  }));
}

/** The rows of such an export, without line endings. */
export function* fixtureRows(options: FixtureOptions): Generator<string> {
  const rows = Array.from({ length: Math.min(SCENES, options.assets) }, (_, seed) => rowTemplate(options, seed));
  for (let index = 0; index < options.assets; index++) {
    yield (rows[index % rows.length] ?? "").replaceAll("@", String(index).padStart(7, "0"));
  }
}

/** A v3 row whose ids hold `@` where the asset's number goes. */
function rowTemplate({ width, height, decimals, objects }: FixtureOptions, seed: number): string {
  const scene: Scene = sceneMix(width, height, seed + 1);
  const random = seededRandom(seed + 1);
  const points = (contour: Int32Array) =>
    Array.from({ length: contour.length / 2 }, (_, at) => [
      Number(((contour[at * 2] ?? 0) + random() - 0.5).toFixed(decimals)),
      Number(((contour[at * 2 + 1] ?? 0) + random() - 0.5).toFixed(decimals)),
    ]);
  const tools = scene.objects.slice(0, objects).map(({ zones }, index) => {
    const classIndex = index % CLASSES.length;
    const base = { objectId: `object-@-${index}`, schemaId: `schema-${classIndex}`, title: CLASSES[classIndex], classifications: [] };
    const [zone] = zones;
    if (index % 2 === 0) return { ...base, polygon: points(zone?.region ?? new Int32Array()) };
    return { ...base, segmentation: { zones: zones.map(({ region, holes }) => ({ region: points(region), holes: holes.map(points) })) } };
  });
  return JSON.stringify({
    asset: "https://hub.invalid/images/@.jpg",
    assetId: "asset-@",
    externalId: "street-@.jpg",
    metadata: { width, height },
    batches: ["all"],
    task: {
      taskId: "task-@",
      stage: "Complete",
      stageId: "Complete",
      updatedAt: "2026-01-05T10:00:00.000Z",
      tools,
      classifications: [],
      relations: [],
      stageHistory: [{ stage: "Label", stageId: "Label", duration: 1000, completedAt: "2026-01-05T10:00:00.000Z", completedBy: "a@b.c" }],
    },
  });
}
