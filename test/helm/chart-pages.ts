/** What stands in the chart but comes from elsewhere: the table of its README, the settings that its schema allows, copies of files. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { READERS } from "../docs/configuration-table.js";
import { projectRoot } from "../project-root.js";
import { readChartFile } from "./chart-files.js";
import { documentedValues } from "./documented-values.js";

/** Files that the chart must hold itself, for Helm reads no others: in the chart, and where they come from. */
export const COPIES: Readonly<Record<string, string>> = {
  "files/maskline.json": "deploy/grafana/maskline.json",
  "files/alerts.yaml": "deploy/prometheus/alerts.yaml",
};

export function originalOf(copy: string): string {
  return readFileSync(join(projectRoot, COPIES[copy] ?? copy), "utf8");
}

/** Environment variables that the chart sets from its values. */
export function variablesOfTheChart(): ReadonlySet<string> {
  return new Set(Array.from(readChartFile("templates/_env.tpl").matchAll(/- \{ name: ([A-Z][A-Z0-9_]+)/g), ([, name = ""]) => name));
}

/** The variables that a `config` of the values may set, for all services and for each: declared ones, no secrets, none of the chart's. */
export function settingsByRole(): Readonly<Record<string, readonly string[]>> {
  const taken = variablesOfTheChart();
  const free = (keys: (typeof READERS)[string]) =>
    Object.values(keys)
      .filter(({ env, secret }) => !secret && !taken.has(env) && !taken.has(`${env}_FILE`))
      .map(({ env }) => env);
  const { every = {}, ...roles } = READERS;
  const common = free(every);
  const ofRoles = Object.entries(roles).map(([role, keys]) => [role, [...new Set([...common, ...free(keys)])]] as const);
  return Object.fromEntries([["common", common], ...ofRoles].map(([role, names]) => [role, [...(names as string[])].sort()]));
}

/** The schema of the values with the settings that it allows filled in. */
export function withSettings(schema: string): string {
  const parsed = JSON.parse(schema);
  for (const [role, names] of Object.entries(settingsByRole())) {
    parsed.$defs[`${role}Config`].properties = Object.fromEntries(names.map((name) => [name, { $ref: "#/$defs/setting" }]));
  }
  return `${JSON.stringify(parsed, undefined, 2)}\n`;
}

const BEGIN = "<!-- table of the values: begin -->";
const END = "<!-- table of the values: end -->";

/** The README with the table between its markers replaced. */
export function withValuesTable(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no "${BEGIN}" before "${END}"`);
  const rows = documentedValues(readChartFile("values.yaml")).map(
    ({ path, fallback, meaning }) => `| \`${path}\` | \`${fallback}\` | ${meaning} |`,
  );
  const table = ["| value | default | meaning |", "| --- | --- | --- |", ...rows].join("\n");
  return `${page.slice(0, begin + BEGIN.length)}\n${table}\n${page.slice(end)}`;
}
