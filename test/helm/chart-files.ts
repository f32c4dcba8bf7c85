/** Where the chart's files are, and the manifests that it was rendered to. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { projectRoot } from "../project-root.js";

export const chartFolder = join(projectRoot, "deploy/helm/maskline");
const renderedFolder = join(projectRoot, "deploy/helm/rendered");

/** A Kubernetes object, as loose as YAML is. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
  readonly [field: string]: unknown;
}

/** The files of values that the chart is rendered with, by name. */
export const renderings = readdirSync(join(chartFolder, "ci")).map((file) => file.replace(/-values\.yaml$/, ""));

/** What the chart renders with the values of that name. */
export function readRendered(name: string): readonly Manifest[] {
  const text = readFileSync(join(renderedFolder, `${name}.yaml`), "utf8");
  // Helm reads YAML 1.1, where 0440 is octal.
  return parseAllDocuments(text, { version: "1.1" })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

export function readChartFile(file: string): string {
  return readFileSync(join(chartFolder, file), "utf8");
}

export function readValues(file = "values.yaml"): Readonly<Record<string, unknown>> {
  return parse(readChartFile(file));
}
