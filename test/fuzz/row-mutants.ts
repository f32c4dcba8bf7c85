/** Rows of an export: valid ones of both versions in every shape that Hub is known to write, and what mutation makes of them. */
import type { Dice } from "./dice.js";
import { mutateBytes, mutateJson } from "./mutate.js";

/** In URLs of every row; nothing that people read may hold it. */
export const URL_SECRET = "X-Amz-Signature=canary";

type Fields = Record<string, unknown>;

const AT = "2026-01-05T10:00:00.000Z";
const LATER = "2026-01-05T11:00:00.000Z";
/** A side of most images: larger ones only make fuzzing slower. */
const MOST_PIXELS = 24;
const PAINTED = ["polygon", "segmentation"] as const;
const OTHER_TOOLS = [
  "bounding-box",
  "rotated-bounding-box",
  "polyline",
  "point",
  "spline",
  "circle",
  "ellipse",
  "ner",
  "pdf",
  "brush",
  "medical-brush",
] as const;

function coordinate(random: Dice): number {
  if (random.chance(0.04)) return random.pick([-70_000, 70_000, 1e6, -(2 ** 31), 2 ** 31 - 1]);
  return random.between(-8, MOST_PIXELS + 8) + random.pick([0, 0, 0.5, 0.25, 0.499]);
}

function contour(random: Dice): number[][] {
  return Array.from({ length: random.between(1, 6) }, () => [coordinate(random), coordinate(random)]);
}

function geometryOf(kind: string, random: Dice): unknown {
  if (kind === "polygon") return contour(random);
  if (kind !== "segmentation") return random.pick<unknown>([{ x: 1, y: 2, width: 3, height: -4 }, [[1, 2]], [1, 2]]);
  const holes = () => Array.from({ length: random.below(3) }, () => contour(random));
  return { zones: Array.from({ length: random.between(1, 2) }, () => ({ region: contour(random), holes: holes() })) };
}

function tool(random: Dice, page: number | undefined): Fields {
  const kind = random.chance(0.6) ? random.pick(PAINTED) : random.pick(OTHER_TOOLS);
  const [schemaId, title] = random.pick([
    ["road", "Road"],
    ["car", "Car"],
    ["", "Road"],
    ["gone", "Gone"],
  ]);
  return {
    objectId: `o${random.below(100)}`,
    schemaId,
    title,
    classifications: [],
    ...(page === undefined ? {} : { page }),
    [kind]: geometryOf(kind, random),
  };
}

function history(random: Dice): Fields[] {
  const start = { stage: "Start", stageId: "Start", duration: 0, completedAt: AT, tools: [], classifications: [] };
  const label = { ...start, stage: "Labeling", stageId: "label-stage", duration: 5, completedBy: "a@b.c" };
  const review = { ...label, stage: "Quality", stageId: "review-stage", completedAt: LATER, reviewStatus: "Accepted" };
  return random.pick([[start, label], [start, label, review], [start, label, { ...review, reviewStatus: "Todo" }, label], [start]]);
}

/** A row as Hub writes it. */
export function validRow(random: Dice, index: number): Fields {
  const form = random.pick(["image", "image", "image", "pages", "video"] as const);
  const pages = form === "pages" ? random.between(1, 2) : form === "video" ? random.between(2, 5) : 0;
  const tools = Array.from({ length: random.below(4) }, () => tool(random, pages > 0 ? random.below(pages) : undefined));
  const task: Fields = { taskId: `t${index}`, updatedAt: AT, classifications: [], relations: [] };
  const asset = {
    asset: `https://hub.invalid/images/${index}.png?${URL_SECRET}`,
    assetId: `a${index}`,
    externalId: random.pick([`${index}.png`, `folder/${index} ü.png`, "same.png"]),
    metadata: {
      width: random.between(1, MOST_PIXELS),
      height: random.between(1, MOST_PIXELS),
      ...(form === "video" ? { frameTotal: pages, frameRate: 25 } : {}),
    },
    batches: random.pick([["north"], ["south"], ["north", "south"], [null, "south"], []]),
    ...(form === "pages" ? { dataset: Array.from({ length: pages }, (_, page) => `https://hub.invalid/${page}.png?${URL_SECRET}`) } : {}),
  };
  if (random.chance(0.25)) return { ...asset, ...versionTwo(task, tools, random) };
  const brush = random.chance(0.1) ? { brushDataUrl: `https://hub.invalid/brush.png?${URL_SECRET}` } : {};
  return { ...asset, task: { ...task, stage: "Quality", stageId: "review-stage", tools, stageHistory: history(random), ...brush } };
}

function versionTwo(task: Fields, objects: Fields[], random: Dice): Fields {
  const reviewed = random.chance(0.5);
  const one = { ...task, objects, completedAt: AT, isSkipped: random.chance(0.2), review: { status: reviewed ? "Accepted" : "Todo" } };
  const tasks = random.chance(0.3) ? [one, { ...one, taskId: `${String(task.taskId)}b`, isSkipped: false }] : [one];
  return { labeledAt: AT, ...(reviewed ? { reviewedAt: LATER } : {}), status: "Labeled", tasks };
}

function tasksOf(row: Fields): Fields[] {
  return Array.isArray(row.tasks) ? (row.tasks as Fields[]) : [row.task as Fields];
}

function toolsOf(row: Fields, random: Dice): Fields[] {
  const task = tasksOf(row)[0] ?? {};
  const key = row.task ? "tools" : "objects";
  const tools = (task[key] ?? []) as Fields[];
  if (tools.length === 0) tools.push(tool(random, undefined));
  task[key] = tools;
  return tools;
}

/** One tool of the row becomes a painted one with that geometry. */
function withGeometry(row: Fields, random: Dice, geometry: unknown): void {
  const tools = toolsOf(row, random);
  const kind = random.pick(PAINTED);
  tools[0] = { objectId: "o", schemaId: "road", title: "Road", [kind]: kind === "polygon" ? geometry : { zones: [{ region: geometry }] } };
  delete row.dataset;
}

/** Mutations that know what a row means: each leads somewhere that blind ones hardly find. */
const TWISTS: readonly [(row: Fields, random: Dice) => void, ...((row: Fields, random: Dice) => void)[]] = [
  // Sizes.
  (row, random) => {
    row.metadata = random.pick<unknown>([
      {},
      null,
      { width: 0, height: 4 },
      { width: "8", height: 8 },
      { width: 8.5, height: 8 },
      { width: 8 },
    ]);
  },
  (row, random) => {
    row.metadata = random.pick([
      { width: 1e6, height: 1e6 },
      { width: 4096, height: 1 },
      { width: 2 ** 40, height: 2 ** 40 },
    ]);
  },
  // Points: none, too many, and such as are none.
  (row, random) => withGeometry(row, random, random.pick([[], null])),
  (row, random) =>
    withGeometry(
      row,
      random,
      Array.from({ length: random.between(60, 200) }, () => [coordinate(random), coordinate(random)]),
    ),
  (row, random) =>
    withGeometry(row, random, random.pick<unknown>([[["1", "2"]], [[1]], [[1, 1e12]], [[null, 0]], [7], "points", { 0: [1, 2] }])),
  // A tangle that is long to paint.
  (row, random) => {
    row.metadata = { width: 60, height: 60 };
    withGeometry(
      row,
      random,
      Array.from({ length: 60 }, (_, at) => [random.below(60), at % 2 === 0 ? 0 : 59]),
    );
  },
  // Objects without a place, without a geometry, of an unknown class, of a tool that nobody knows.
  (row, random) => {
    toolsOf(row, random)[0] = { ...tool(random, random.pick([-1, 7, 1.5])), polygon: contour(random) };
    row.metadata = { width: 4, height: 4 };
    delete row.dataset;
  },
  (row, random) => {
    const { page, ...placeless } = toolsOf(row, random)[0] ?? {};
    toolsOf(row, random)[0] = { ...placeless, polygon: contour(random) };
    row.metadata = { width: 4, height: 4, frameTotal: 9 };
    delete row.dataset;
  },
  (row, random) => void toolsOf(row, random).push({ objectId: "bare", schemaId: "road", title: "Road" }),
  (row, random) => void toolsOf(row, random).push({ ...tool(random, undefined), schemaId: "other", title: "Other" }),
  (row, random) => {
    for (let kind = 0; kind < 40; kind++) toolsOf(row, random).push({ objectId: `k${kind}`, [`odd-tool-${kind}`]: [1] });
  },
  // Many parts.
  (row, random) => {
    row.dataset = Array.from({ length: random.between(3, 12) }, () => "https://hub.invalid/page.png");
  },
  (row, random) => {
    row.metadata = { width: 4, height: 4, frameTotal: 100 };
    toolsOf(row, random).push(...Array.from({ length: random.between(2, 12) }, (_, page) => tool(random, page)));
    delete row.dataset;
  },
  // Nobody labeled it.
  (row) => {
    for (const task of tasksOf(row))
      Object.assign(task, { stageHistory: [], stage: "Start", stageId: "Start", completedAt: null, status: "" });
    for (const task of tasksOf(row)) delete task.review;
    for (const key of ["labeledAt", "reviewedAt", "status"]) delete row[key];
  },
  // No task at all.
  (row) => {
    delete row.task;
    delete row.tasks;
  },
];

/** The text of mutant `index`: a valid row, mutated up to three times or not at all. */
export function mutantRow(random: Dice, index: number): Buffer {
  let row: unknown = validRow(random, index);
  if (random.chance(0.5)) random.pick(TWISTS)(row as Fields, random);
  if (random.chance(0.3)) for (let times = random.between(1, 3); times > 0; times--) row = mutateJson(row, random);
  let bytes = Buffer.from(JSON.stringify(row) ?? "");
  if (random.chance(0.08)) for (let times = random.between(1, 2); times > 0; times--) bytes = Buffer.from(mutateBytes(bytes, random));
  return bytes;
}
