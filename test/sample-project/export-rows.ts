/** From scenes to what Hub would export of them: the project, and one v3 row an asset (docs/hub-protocol.md sections 5.2, 10 and 12). */
import { createHash } from "node:crypto";
import { SAMPLE_ORIGIN } from "../hub-simulator/export-zip.js";
import { CLASSES, classOf, OTHER_TOOLS } from "./classes.js";
import type { Scene, SceneObject } from "./scene.js";
import { sceneAt } from "./scenes.js";

/** Rows that differ on purpose, by index: an export of real life has them all. */
export const SPECIAL = {
  /** Labeled, and nothing was there to label: a mask of background only. */
  withoutTools: 16,
  /** Still waits for a labeler, which only an export of all stages shows: left out. */
  notLabeled: 32,
  /** Opened by nobody yet, so that Hub does not tell its width and height: they are read from its picture. */
  withoutSize: 41,
  /** A multi-image asset, of which Hub tells the size of the first page only. The second page is the picture of the next scene. */
  twoPages: 46,
  /** A coordinate far beyond any picture: rejected, with that reason. */
  badCoordinate: 52,
  /** An object of a class that the ontology no longer has, and one whose points were not exported. */
  strangeObjects: 8,
} as const;

const LABELERS = ["ada@labels.example", "grace@labels.example", "alan@labels.example"] as const;
const REVIEWER = "edsger@labels.example";
const FIRST_DAY = Date.parse("2026-03-02T08:00:00Z");
const MINUTE = 60_000;
const BATCHES = { avenue: "Old town", frontage: "Market street", park: "City park", night: "Night shift" } as const;

/** A Hub id: `digits` hexadecimal digits derived from a text. */
function id(text: string, digits = 24): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

const STAGES = [
  { id: "Start", name: "Start", type: "Start", next: ["Label"] },
  { id: "Label", name: "Label", type: "Label", next: ["Review"] },
  { id: "Review", name: "Review", type: "Review", next: ["Complete"] },
  { id: "Complete", name: "Complete", type: "Complete", next: [] },
];

/** `data.project` of `GET /v2/project/{id}`. */
export function sampleProject(): object {
  return {
    _id: id("project"),
    name: "Street scenes",
    description: "Sixty drawn street scenes; every outline of the drawing is an annotation.",
    type: "ango",
    organization: id("organization"),
    owner: id("owner"),
    categorySchema: {
      tools: [...CLASSES, ...Object.values(OTHER_TOOLS)].map(({ schemaId, title, tool, color }, index) => ({
        schemaId,
        title,
        tool,
        color,
        required: false,
        columnField: title.toLowerCase().replaceAll(" ", "_"),
        shortcutKey: String((index + 1) % 10),
        classifications: [],
      })),
      classifications: [],
      relations: [],
    },
    stages: STAGES,
    batches: Object.values(BATCHES).map((name) => ({ _id: id(`batch ${name}`), name })),
    assignedTo: LABELERS,
  };
}

const urlOf = ({ name }: Scene) => `${SAMPLE_ORIGIN}/images/${name}.webp`;

function toolsOf(scene: Scene, createdAt: number, createdBy: string): object[] {
  const metadata = { createdAt, createdBy, createdIn: "Label" };
  const numbered = (schemaId: string, title: string, index: string) => ({
    objectId: id(`${scene.name} ${index}`, 23),
    schemaId,
    title,
    classifications: [],
  });
  const objects = scene.layers.filter((layer): layer is SceneObject => layer.kind === "object");
  return [
    ...objects.flatMap(({ title, zones }, index): object[] => {
      const { schemaId, tool } = classOf(title);
      if (tool === "segmentation") return [{ ...numbered(schemaId, title, `${index}`), segmentation: { zones } }];
      return zones.map(({ region }, part) => ({ ...numbered(schemaId, title, `${index}.${part}`), metadata, polygon: region }));
    }),
    ...scene.plates.map((plate, index) => ({
      ...numbered(OTHER_TOOLS.plate.schemaId, OTHER_TOOLS.plate.title, `plate ${index}`),
      metadata,
      "bounding-box": plate,
    })),
    ...scene.curbs.map((curb, index) => ({
      ...numbered(OTHER_TOOLS.curb.schemaId, OTHER_TOOLS.curb.title, `curb ${index}`),
      metadata,
      polyline: curb,
    })),
  ];
}

/** Objects that no mask can show, with what is wrong with them. */
function strangeObjects(scene: Scene): object[] {
  const car = classOf("Car");
  return [
    {
      objectId: id(`${scene.name} bicycle`, 23),
      schemaId: "64c1f0a2b7d9e83f5a1cfff",
      title: "Bicycle",
      polygon: [
        [300.5, 200.25],
        [340, 200],
        [320, 240.75],
      ],
    },
    { objectId: id(`${scene.name} pointless`, 23), schemaId: car.schemaId, title: car.title, segmentation: {} },
  ];
}

function badObject(scene: Scene): object {
  const { schemaId, title } = classOf("Road");
  return {
    objectId: id(`${scene.name} bad`, 23),
    schemaId,
    title,
    polygon: [
      [12.5, 300],
      [3.2e12, 301.5],
      [400, 340],
    ],
  };
}

/** The task as it left each earlier stage. Its lists are empty here, for the file's size: nothing of a mask depends on them. */
function stageHistory(labeler: string, labeledAt: number, index: number): object[] {
  const entry = (stage: string, completedAt: number, more: object) => ({
    stage,
    stageId: stage,
    completedAt: new Date(completedAt).toISOString(),
    tools: [],
    classifications: [],
    relations: [],
    ...more,
  });
  const history = [entry("Start", labeledAt - 9 * MINUTE, { duration: 0 })];
  if (index === SPECIAL.notLabeled) return history;
  history.push(entry("Label", labeledAt, { duration: 8 * MINUTE, completedBy: labeler }));
  // Every sixth went past the reviewers.
  if (index % 6 !== 5) {
    const reviewStatus = index % 11 === 7 ? "Fixed" : "Accepted";
    history.push(entry("Review", labeledAt + 40 * MINUTE, { duration: MINUTE, completedBy: REVIEWER, reviewStatus }));
  }
  return history;
}

function batchesOf({ name }: Scene, index: number): (string | null)[] {
  const [, kind = "avenue", mood] = name.split("-");
  const own: (string | null)[] = [BATCHES[kind as keyof typeof BATCHES]];
  if (mood === "night" || mood === "dusk") own.push(BATCHES.night);
  // Hub has such entries where a batch was deleted.
  return index === 20 ? [...own, null] : own;
}

/** Row `index` of the export. Asset URLs begin with SAMPLE_ORIGIN; the simulator puts its own address there. */
export function exportRow(scene: Scene, index: number): object {
  const labeler = LABELERS[index % LABELERS.length] ?? LABELERS[0];
  const labeledAt = FIRST_DAY + index * 37 * MINUTE;
  const empty = index === SPECIAL.withoutTools || index === SPECIAL.notLabeled;
  const stage = index === SPECIAL.notLabeled ? "Label" : "Complete";
  const tools = empty ? [] : toolsOf(scene, labeledAt - 4 * MINUTE, labeler);
  if (index === SPECIAL.strangeObjects) tools.push(...strangeObjects(scene));
  if (index === SPECIAL.badCoordinate) tools.push(badObject(scene));
  const second = index === SPECIAL.twoPages ? sceneAt(index + 1) : undefined;
  if (second) tools.push(...toolsOf(second, labeledAt - 3 * MINUTE, labeler).map((tool) => ({ ...tool, page: 1 })));
  return {
    asset: urlOf(scene),
    ...(second ? { dataset: [urlOf(scene), urlOf(second)] } : {}),
    assetId: id(`asset ${scene.name}`),
    externalId: `${scene.name}.webp`,
    metadata: index === SPECIAL.withoutSize ? {} : { width: scene.width, height: scene.height },
    batches: batchesOf(scene, index),
    task: {
      taskId: id(`task ${scene.name}`),
      stage,
      stageId: stage,
      updatedAt: new Date(labeledAt + 41 * MINUTE).toISOString(),
      updatedBy: labeler,
      totalDuration: 9 * MINUTE,
      tools,
      classifications: [],
      relations: [],
      stageHistory: stageHistory(labeler, labeledAt, index),
    },
  };
}
