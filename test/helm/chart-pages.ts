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

/** Environment variables that the chart sets itself, with the template of what it sets them to. */
export function variablesOfTheChart(): ReadonlyMap<string, string> {
  const template = readChartFile("templates/_env.tpl");
  const written = Array.from(
    template.matchAll(/- \{ name: ([A-Z][A-Z0-9_]+), (.+) \}$/gm),
    ([, name = "", value = ""]) => [name, value] as const,
  );
  // What NATS is shown is one of several, whose file is called as its variable.
  const shown = Array.from(
    template.matchAll(/"(nats-[a-z]+)" (\$auth\.\w+)/g),
    ([, file = "", value = ""]) => [variableOf(file), `{{ ${value} }}`] as const,
  );
  return new Map([...written, ...shown]);
}

function variableOf(file: string): string {
  return `${file.toUpperCase().replaceAll("-", "_")}_FILE`;
}

/** What the gateways of several plugins can not share. */
const OF_ONE_GATEWAY = ["GATEWAY_ID"];

/** The variables that a `config` of the values may set, for all services, for each, and for a plugin's gateway: declared ones, no secrets, none of the chart's. */
export function settingsByRole(): Readonly<Record<string, readonly string[]>> {
  const taken = variablesOfTheChart();
  const free = (keys: (typeof READERS)[string]) =>
    Object.values(keys)
      .filter(({ env, secret }) => !secret && !taken.has(env) && !taken.has(`${env}_FILE`))
      .map(({ env }) => env);
  const { every = {}, ...roles } = READERS;
  const common = free(every);
  const ofRoles = Object.entries(roles).map(([role, keys]) => [role, [...new Set([...common, ...free(keys)])]] as const);
  const plugin = ofRoles.find(([role]) => role === "gateway")?.[1] ?? [];
  const shared = ofRoles.map(([role, names]) => [role, names.filter((name) => !OF_ONE_GATEWAY.includes(name))] as const);
  return Object.fromEntries(
    [["common", common], ["plugin", plugin], ...shared].map(([role, names]) => [role, [...(names as string[])].sort()]),
  );
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
