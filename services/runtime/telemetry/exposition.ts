/** Metrics as text that Prometheus reads (https://prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4). Pure. */
import type { HistogramPoint, MetricFamily, MetricKind } from "./registry.js";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** UCUM units in the words of Prometheus; what is counted (`{asset}`) has none. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

/** `maskline.stage.duration` in `s` is `maskline_stage_duration_seconds`; a counter ends in `_total`, a gauge in `1` in `_ratio`. */
export function prometheusName({ name, unit, kind }: { readonly name: string; readonly unit: string; readonly kind: MetricKind }): string {
  const words = [prometheusLabel(name)];
  const word = UNIT_WORDS[unit] ?? (unit === "1" && kind === "gauge" ? "ratio" : undefined);
  if (word !== undefined) words.push(word);
  if (kind === "counter") words.push("total");
  return words.join("_");
}

/** `messaging.destination.template` is `messaging_destination_template`. */
export function prometheusLabel(attribute: string): string {
  return attribute.replace(/[^A-Za-z0-9_]/g, "_");
}

export function exposition(families: readonly MetricFamily[]): string {
  return families
    .filter(({ points }) => points.length > 0)
    .map((family) => {
      const name = prometheusName(family);
      const type = family.kind === "upDownCounter" ? "gauge" : family.kind;
      const lines =
        family.kind === "histogram"
          ? family.points.flatMap((point) => histogramLines(name, family.boundaries, point))
          : family.points.map(({ attributes, value }) => `${name}${labels(attributes)} ${number(value)}`);
      return [`# HELP ${name} ${escapedHelp(family.help)}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
    })
    .join("");
}

function histogramLines(name: string, boundaries: readonly number[], { attributes, counts, sum }: HistogramPoint): string[] {
  let below = 0;
  const buckets = [...boundaries, Number.POSITIVE_INFINITY].map((boundary, at) => {
    below += counts[at] ?? 0;
    return `${name}_bucket${labels({ ...attributes, le: number(boundary) })} ${below}`;
  });
  return [...buckets, `${name}_sum${labels(attributes)} ${number(sum)}`, `${name}_count${labels(attributes)} ${below}`];
}

function labels(attributes: Readonly<Record<string, string>>): string {
  // A label without a value is none.
  const pairs = Object.entries(attributes)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${prometheusLabel(name)}="${escapedValue(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function escapedValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapedHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
