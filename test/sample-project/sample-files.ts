/** The texts of the sample project's files, from the scenes. */
import { exportRow, sampleProject } from "./export-rows.js";
import { allScenes } from "./scenes.js";

/** project.json: `data.project` as Hub answers it. */
export function projectText(): string {
  return `${JSON.stringify(sampleProject(), null, 2)}\n`;
}

/** export.ndjson: one row an asset. */
export function exportText(): string {
  return allScenes()
    .map((scene, index) => `${JSON.stringify(exportRow(scene, index))}\n`)
    .join("");
}
