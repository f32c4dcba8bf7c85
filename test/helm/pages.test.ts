import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { z } from "zod";
import { READERS } from "../docs/configuration-table.js";
import { projectRoot } from "../project-root.js";
import { readChartFile } from "./chart-files.js";
import { documentedValues } from "./documented-values.js";

const PAGES = ["docs/operations.md", "docs/kubernetes.md", "docs/scaling.md", "deploy/helm/maskline/README.md"];
const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");

/** All that is written in a file, or in those of a folder but for tests. */
function sources(path: string): string {
  if (!statSync(join(projectRoot, path)).isDirectory()) return read(path);
  const names = (readdirSync(join(projectRoot, path), { recursive: true }) as string[]).filter((name) => /(?<!\.test)\.ts$/.test(name));
  return names.map((name) => read(join(path, name))).join("\n");
}

const ruleFile = z.object({
  groups: z.array(
    z.object({ rules: z.array(z.object({ alert: z.string().optional(), annotations: z.record(z.string(), z.string()).default({}) })) }),
  ),
});

describe("the pages for operators", () => {
  for (const page of PAGES) {
    const text = read(page);

    it(`${page} speaks of variables that there are`, () => {
      const declared = new Set(Object.values(READERS).flatMap((keys) => Object.values(keys).map(({ env }) => env)));
      for (const [, name = ""] of text.matchAll(/`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)`/g)) assert.ok(declared.has(name), name);
    });

    it(`${page} speaks of values that the chart has`, () => {
      const paths = documentedValues(readChartFile("values.yaml")).map(({ path }) => path);
      const heads = new Set(paths.map((path) => path.split(".")[0]));
      for (const [, path = ""] of text.matchAll(/`([a-z]\w*(?:\.\w+)+)(?:[:=][^`]*)?`/g)) {
        if (!heads.has(path.split(".")[0])) continue;
        const isThere = paths.some((one) => one === path || one.startsWith(`${path}.`) || path.startsWith(`${one}.`));
        assert.ok(isThere, path);
      }
    });

    it(`${page} leads to files that are there`, () => {
      for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        assert.ok(existsSync(join(projectRoot, dirname(page), target)), target);
      }
    });
  }

  it("quote what the services really say", () => {
    const page = read("docs/operations.md");
    const alerts = page.split("\n## Alerts\n")[1]?.split("\n## ")[0] ?? "";
    const idle = alerts.split("### MasklineSessionIdle")[1]?.split("\n### ")[0] ?? "";
    const seen = Array.from((page.split("\n## When something is wrong\n")[1] ?? "").matchAll(/^\| ([^|]+) \|/gm), ([, cell = ""]) => cell);
    const quotes = [
      ...Array.from(alerts.matchAll(/"([^"]+)"/g), ([, words = ""]) => words),
      ...Array.from([idle, ...seen].join("\n").matchAll(/`([a-z][a-z]*(?: [\w\s]+)?)`/g), ([, words = ""]) => words),
    ].map((words) => words.replace(/\s+/g, " "));
    assert.ok(quotes.length > 10, quotes.join(", "));
    const said = ["services", "proto", "deploy/helm/maskline/values.yaml"].map(sources).join("\n");
    for (const words of quotes) assert.ok(said.includes(words), words);
  });

  it("say what to do about every alert, where the alert says to look", () => {
    const alerts = ruleFile
      .parse(parse(read("deploy/prometheus/alerts.yaml")))
      .groups.flatMap(({ rules }) => rules.filter(({ alert }) => alert));
    const section = read("docs/operations.md").split("\n## Alerts\n")[1]?.split("\n## ")[0] ?? "";
    const headings = Array.from(section.matchAll(/^### (\S+)$/gm), ([, name]) => name);
    assert.deepEqual(
      headings,
      alerts.map(({ alert }) => alert),
    );
    for (const { alert = "", annotations } of alerts) {
      assert.match(JSON.stringify(annotations), new RegExp(`docs/operations\\.md#${alert.toLowerCase()}"`), alert);
    }
  });
});
