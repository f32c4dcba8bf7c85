/** Writes the sample project: `node dist/test/sample-project/generate.js [folder]`; default: the folder in the checkout, whose files are committed. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { renderWebp } from "./render.js";
import { exportText, projectText } from "./sample-files.js";
import { allScenes } from "./scenes.js";

const folder = process.argv[2] ?? join(projectRoot, "test", "sample-project");
await mkdir(join(folder, "images"), { recursive: true });
await writeFile(join(folder, "project.json"), projectText());
await writeFile(join(folder, "export.ndjson"), exportText());
let bytes = 0;
for (const scene of allScenes()) {
  const image = await renderWebp(scene);
  bytes += image.length;
  await writeFile(join(folder, "images", `${scene.name}.webp`), image);
}
process.stdout.write(`${folder}: project.json, export.ndjson and ${allScenes().length} images (${Math.round(bytes / 1000)} kB)\n`);
