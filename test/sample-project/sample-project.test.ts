import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import sharp from "sharp";
import { projectRoot } from "../project-root.js";
import { CLASSES, OTHER_TOOLS } from "./classes.js";
import { SPECIAL } from "./export-rows.js";
import { sceneSvg } from "./render.js";
import { exportText, projectText } from "./sample-files.js";
import { allScenes, SCENE_COUNT } from "./scenes.js";
import type { Contour } from "./shapes.js";

const folder = join(projectRoot, "test", "sample-project");
const AGAIN = "run `node dist/test/sample-project/generate.js` and commit what it writes";

test("the committed project and export are what the generator writes", async () => {
  assert.ok((await readFile(join(folder, "project.json"), "utf8")) === projectText(), AGAIN);
  assert.ok((await readFile(join(folder, "export.ndjson"), "utf8")) === exportText(), AGAIN);
});

test("every scene has its committed picture, of its size", async () => {
  const scenes = allScenes();
  assert.equal(scenes.length, SCENE_COUNT);
  assert.deepEqual((await readdir(join(folder, "images"))).sort(), scenes.map(({ name }) => `${name}.webp`).sort(), AGAIN);
  for (const { name, width, height } of scenes) {
    const size = await sharp(join(folder, "images", `${name}.webp`)).metadata();
    assert.deepEqual([size.width, size.height], [width, height], name);
  }
});

test("picture and annotation are the same shapes", () => {
  const rows = exportText()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const path = (contour: Contour) => `M${contour.map(([x, y]) => `${x} ${y}`).join("L")}Z`;
  const scenes = allScenes();
  scenes.forEach((scene, index) => {
    const ofPage = [sceneSvg(scene), ...(index === SPECIAL.twoPages ? scenes.slice(index + 1, index + 2).map(sceneSvg) : [])];
    const known: readonly string[] = CLASSES.map(({ schemaId }) => schemaId);
    const special: readonly number[] = [SPECIAL.strangeObjects, SPECIAL.badCoordinate];
    for (const tool of special.includes(index) ? [] : rows[index].task.tools) {
      const contours: Contour[] = tool.polygon
        ? [tool.polygon]
        : (tool.segmentation?.zones ?? []).map((zone: { region: Contour }) => zone.region);
      if (known.includes(tool.schemaId))
        for (const contour of contours) assert.ok(ofPage[tool.page ?? 0]?.includes(path(contour)), `${scene.name}: ${tool.title}`);
    }
  });
});

test("every class and every other tool occurs, and the rows that differ on purpose are there", () => {
  const rows = exportText()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const titles = new Set(rows.flatMap(({ task }) => task.tools.map(({ title }: { title: string }) => title)));
  for (const { title } of [...CLASSES, ...Object.values(OTHER_TOOLS)]) assert.ok(titles.has(title), title);
  assert.deepEqual(rows[SPECIAL.withoutTools].task.tools, []);
  assert.equal(rows[SPECIAL.notLabeled].task.stageHistory.length, 1);
  assert.deepEqual(rows[SPECIAL.withoutSize].metadata, {});
  assert.equal(rows[SPECIAL.twoPages].dataset.length, 2);
  assert.equal(new Set(rows.map(({ task }) => task.taskId)).size, SCENE_COUNT);
});
