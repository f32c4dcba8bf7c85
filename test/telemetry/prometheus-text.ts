/** Reads what a Prometheus server reads, as strictly: version 0.0.4 of the text format. */
import assert from "node:assert/strict";

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"/g;

/** @throws AssertionError for a line that is none, a sample outside its family, a family or a series that comes twice. */
export function parsePrometheusText(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  const families = new Set<string>();
  const series = new Set<string>();
  let family = { name: "", type: "" };
  assert.ok(text.endsWith("\n"), "the last line ends");
  for (const line of text.trimEnd().split("\n")) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === "HELP") {
      assert.ok(!families.has(name), `${name} comes twice`);
      families.add(name);
      family = { name, type: "" };
    } else if (kind === "TYPE") {
      assert.equal(name, family.name);
      assert.match(rest, /^(counter|gauge|histogram)$/);
      family = { name, type: rest };
    } else {
      const sample = readSample(line);
      const suffix = family.type === "histogram" ? /_(bucket|sum|count)$/ : /$/;
      assert.equal(sample.name.replace(suffix, ""), family.name, line);
      const key = JSON.stringify([sample.name, sample.labels]);
      assert.ok(!series.has(key), `${key} comes twice`);
      series.add(key);
      samples.push(sample);
    }
  }
  return samples;
}

function readSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  assert.ok(match, `${JSON.stringify(line)} is no sample`);
  const [, name = "", labels = "", value = ""] = match;
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
  assert.ok(!Number.isNaN(number), line);
  return { name, labels: Object.fromEntries(Array.from(labels.matchAll(LABEL), ([, key = "", text = ""]) => [key, text])), value: number };
}
