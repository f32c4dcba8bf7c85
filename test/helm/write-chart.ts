/** Writes into the chart what comes from elsewhere (chart-pages.ts): run after a change of variables, values, dashboard or alerts. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../project-root.js";
import { chartFolder, readChartFile } from "./chart-files.js";
import { COPIES, originalOf, withSettings, withValuesTable } from "./chart-pages.js";

const written: readonly (readonly [file: string, content: string])[] = [
  ["values.schema.json", withSettings(readChartFile("values.schema.json"))],
  ["README.md", withValuesTable(readChartFile("README.md"))],
  ...Object.entries(COPIES)
    .filter(([, original]) => existsSync(join(projectRoot, original)))
    .map(([copy]) => [copy, originalOf(copy)] as const),
];
for (const [file, content] of written) {
  const path = join(chartFolder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  console.log(`wrote ${path}`);
}
