import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import sharp from "sharp";
import { projectRoot } from "../project-root.js";
import { SPECIAL } from "../sample-project/export-rows.js";
import { SCENE_COUNT } from "../sample-project/scenes.js";
import { classMapping, readArchive } from "../support/archive.js";
import { writePreview } from "./preview.js";

const sample = join(projectRoot, "test", "sample-project");
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-demo-test-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("the demo plays a session against the simulator and leaves an archive and its preview", { timeout: 120_000 }, async () => {
  const demo = fileURLToPath(new URL("./demo.js", import.meta.url));
  const env = { ...process.env, MASKLINE_ROOT: projectRoot };
  const { stdout } = await promisify(execFile)(process.execPath, [demo, folder], { env, timeout: 110_000 });

  // Each asset one mask, but two that have none, and one that has two.
  const masks = SCENE_COUNT - [SPECIAL.notLabeled, SPECIAL.badCoordinate].length + [SPECIAL.twoPages].length;
  assert.match(stdout, new RegExp(`${masks} masks in [\\d.]+ s`));
  assert.ok(!stdout.includes("X-Amz-"), "no presigned URL is shown");
  assert.ok(!stdout.includes("\u001b"), "no colours where there is no terminal");
  const entries = await readArchive(join(folder, "masks.zip"));
  assert.equal([...entries.keys()].filter((name) => name.endsWith(".png")).length, masks);
  assert.equal((await sharp(join(folder, "preview.png")).metadata()).width, 1600);

  const rows = (await readFile(join(sample, "export.ndjson"), "utf8")).trimEnd().split("\n");
  const unsized = JSON.parse(rows[SPECIAL.withoutSize] ?? "");
  const { width, height } = await sharp(entries.get(`${unsized.task.taskId}.png`)).metadata();
  const picture = await sharp(join(sample, "images", unsized.externalId)).metadata();
  assert.deepEqual([width, height], [picture.width, picture.height], "a size that Hub does not tell is that of the picture");

  // The mask of a scene lies under its picture: the middle of the nearest road is road.
  const [first = ""] = rows;
  const mask = entries.get(`${JSON.parse(first).task.taskId}.png`);
  const pixels = await sharp(mask).toColourspace("b-w").raw().toBuffer();
  assert.equal(pixels[340 * 640 + 250], classMapping(entries).get("Road"));
});

test("a preview shows the classes in the project's colours, over 0 for background", async () => {
  const out = join(folder, "again.png");
  await writePreview({
    archive: join(folder, "masks.zip"),
    imagesFolder: join(sample, "images"),
    exportFile: join(sample, "export.ndjson"),
    projectFile: join(sample, "project.json"),
    out,
  });
  const { data, info } = await sharp(out).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const colours = new Set<string>();
  for (let at = 0; at < data.length; at += info.channels) colours.add(data.toString("hex", at, at + 3));
  const { categorySchema } = JSON.parse(await readFile(join(sample, "project.json"), "utf8"));
  for (const { title, color } of categorySchema.tools.slice(0, 10)) assert.ok(colours.has(color.slice(1)), title);
});
