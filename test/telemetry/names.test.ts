import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { parse } from "yaml";
import { z } from "zod";
import { prometheusLabel, prometheusName } from "../../services/runtime/telemetry/exposition.js";
import { metrics } from "../../services/runtime/telemetry/metrics.js";
import { projectRoot } from "../project-root.js";

const read = (path: string) => readFileSync(join(projectRoot, path), "utf8");

const alertFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().min(1),
      rules: z
        .array(
          z.strictObject({
            alert: z.string().regex(/^Maskline[A-Za-z]+$/),
            expr: z.string().min(1),
            for: z
              .string()
              .regex(/^\d+[smh]$/)
              .optional(),
            labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
            annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
          }),
        )
        .min(1),
    }),
  ),
});

const dashboardFile = z.object({
  panels: z.array(
    z.object({
      type: z.string(),
      title: z.string().min(1),
      targets: z.array(z.object({ expr: z.string().min(1) })).optional(),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
});

/** What is declared: every name of a series in Prometheus, with its labels. */
const declared = new Map(
  metrics().flatMap((metric) => {
    const name = prometheusName(metric);
    const labels = new Set([...metric.attributes.map(prometheusLabel), "job", "instance", "le"]);
    return (metric.kind === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name]).map(
      (series) => [series, labels] as const,
    );
  }),
);
declared.set("up", new Set(["job", "instance"]));

const WORDS = new Set(
  "sum min max by on unless and or absent increase rate deriv min_over_time histogram_quantile label_values group_left".split(" "),
);

/** Checks a query of PromQL for what can be wrong with names: series that are not declared, and labels that these do not have. */
function checkQuery(expr: string): void {
  const plain = expr.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\[[^\]]*\]/g, "");
  const labelLists = [
    ...Array.from(plain.matchAll(/\{([^}]*)\}/g), ([, list = ""]) => list.split(",").map((one) => one.trim().split(/[=!~]/, 1)[0] ?? "")),
    ...Array.from(plain.matchAll(/\b(?:by|on|group_left) \(([^)]*)\)/g), ([, list = ""]) => list.split(",").map((one) => one.trim())),
  ];
  const rest = plain.replace(/\{[^}]*\}/g, "").replace(/\b(?:by|on|group_left) \([^)]*\)/g, "");
  const names = (rest.match(/[a-z_][a-z0-9_]*/gi) ?? []).filter((word) => !WORDS.has(word) && word !== "job");
  assert.ok(names.length > 0, expr);
  const known = new Set<string>();
  for (const name of names) {
    const labels = declared.get(name);
    assert.ok(labels, `${name} is not declared in services/runtime/telemetry/metrics.ts: ${expr}`);
    for (const label of labels) known.add(label);
  }
  for (const label of labelLists.flat()) assert.ok(label === "" || known.has(label), `no metric of it has the label ${label}: ${expr}`);
}

describe("a query", () => {
  it("is only taken when all its names are declared", () => {
    checkQuery('sum by (maskline_outcome) (rate(maskline_assets_total{maskline_reason!=""}[5m])) > 0.5');
    assert.throws(() => checkQuery("rate(maskline_asset_total[5m])"), /maskline_asset_total is not declared/);
    assert.throws(() => checkQuery("sum by (outcome) (maskline_assets_total)"), /label outcome/);
    assert.throws(() => checkQuery('maskline_assets_total{run="x"}'), /label run/);
    assert.throws(() => checkQuery("maskline_stage_duration_seconds"), /is not declared/);
  });
});

describe("the alerts", () => {
  const rules = alertFile.parse(parse(read("deploy/prometheus/alerts.yaml"))).groups.flatMap((group) => group.rules);

  for (const { alert, expr, annotations } of rules) {
    it(`${alert} asks for what is there, and leads to what to do`, () => {
      checkQuery(expr);
      assert.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`);
    });
  }

  it("have names of their own", () => assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length));
});

describe("the dashboard", () => {
  const dashboard = dashboardFile.parse(JSON.parse(read("deploy/grafana/maskline.json")));
  const panels = dashboard.panels.filter(({ type }) => type !== "row");

  it("asks for what is there", () => {
    assert.ok(panels.length > 10);
    for (const { targets, title } of panels) {
      assert.ok(targets && targets.length > 0, title);
      for (const { expr } of targets) checkQuery(expr);
    }
    for (const { definition } of dashboard.templating.list) if (definition !== undefined) checkQuery(definition);
  });

  it("shows each metric of the pipeline that counts or measures something", () => {
    const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join("\n");
    const left = metrics().filter((metric) => !shown.includes(prometheusName(metric)) && !/^(?:process|nodejs|rpc)\./.test(metric.name));
    assert.deepEqual(
      left.map(({ name }) => name),
      [
        "messaging.client.sent.messages",
        "maskline.objects.dropped",
        "maskline.packager.runs",
        "maskline.sessions.accepted",
        "maskline.session.duration",
        "maskline.heap.used",
      ],
    );
  });
});

describe("names of metrics and attributes", () => {
  const standard = new Set<string>(Object.values(conventions).filter((value) => typeof value === "string"));

  it("are OpenTelemetry's own, or begin with ours", () => {
    for (const name of metrics().flatMap((metric) => [metric.name, ...metric.attributes])) {
      assert.ok(name.startsWith("maskline.") || standard.has(name), name);
    }
  });

  it("that spans of messages and calls have are, too", () => {
    const sources = ["messaging", "observed-bus", "observed-step", "calls", "sdk"].map((file) =>
      read(`services/runtime/telemetry/${file}.ts`),
    );
    const names = sources.flatMap((source) =>
      Array.from(source.matchAll(/"((?:messaging|rpc|service|error|exception)\.[a-z_.]+)"/g), ([, name = ""]) => name),
    );
    assert.ok(names.length > 10);
    for (const name of names) assert.ok(standard.has(name), name);
  });

  it("are in the documentation, each with its unit", () => {
    const page = read("docs/telemetry.md");
    for (const { name, unit } of metrics())
      assert.ok(page.includes(`| \`${name}\` | ${unit} |`), `${name} (${unit}) has no row in docs/telemetry.md`);
    for (const [, name = ""] of page.matchAll(/^\| `([a-z0-9_.]+)` \| [^|]+ \| /gm)) {
      assert.ok(
        metrics().some((metric) => metric.name === name),
        `${name} is documented, and nobody declares it`,
      );
    }
  });
});
