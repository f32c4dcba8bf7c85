/** Rows that cost little to carry and much to paint: contours that go to and fro over a whole 4K image, the same for the same seed. */
import { CLASSES } from "./export-fixture.js";
import { seededRandom } from "./scene-mix.js";

const WIDTH = 3840;
const HEIGHT = 2160;
/** Different scenes in an export. */
const SCENES = 50;
/** Each of so many points; a pixel row crosses about a third of their edges. */
const OBJECTS = 6;
const POINTS = 90;

/** The rows of an export, without line endings. */
export function* heavyRows(assets: number): Generator<string> {
  const tools = Array.from({ length: Math.min(SCENES, assets) }, (_, seed) => JSON.stringify(scribbles(seed + 1)));
  for (let index = 0; index < assets; index++) yield row(String(index).padStart(7, "0"), tools[index % tools.length] ?? "");
}

function scribbles(seed: number) {
  const random = seededRandom(seed);
  return Array.from({ length: OBJECTS }, (_, index) => {
    const classIndex = (index * 2) % CLASSES.length;
    const polygon = Array.from({ length: POINTS }, () => [Math.floor(random() * WIDTH), Math.floor(random() * HEIGHT)]);
    return { objectId: `object-${index}`, schemaId: `schema-${classIndex}`, title: CLASSES[classIndex], classifications: [], polygon };
  });
}

function row(id: string, tools: string): string {
  const completed = "2026-01-05T10:00:00.000Z";
  const history = JSON.stringify([{ stage: "Label", stageId: "Label", duration: 1000, completedAt: completed, completedBy: "a@b.c" }]);
  return (
    `{"asset":"https://hub.invalid/images/${id}.jpg","assetId":"asset-${id}","externalId":"street-${id}.jpg",` +
    `"metadata":{"width":${WIDTH},"height":${HEIGHT}},"batches":["all"],"task":{"taskId":"task-${id}","stage":"Complete",` +
    `"stageId":"Complete","updatedAt":"${completed}","tools":${tools},"classifications":[],"relations":[],"stageHistory":${history}}}`
  );
}
