import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { projectRoot } from "../project-root.js";
import { changed, occurrences } from "./mutant.js";
import { MUTANTS, RULES } from "./mutants.js";
import { ruleNames, withRules } from "./reliability-page.js";

const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");

describe("the mutants of docs/delivery.md's rules (npm run rules)", () => {
  it("leave no rule out", () => {
    const rules = new Set(MUTANTS.map(({ rule }) => rule));
    assert.deepEqual(
      [...rules],
      Array.from({ length: RULES }, (_, index) => index + 1),
    );
    assert.equal(ruleNames(read("docs/delivery.md")).length, RULES);
  });

  it("fit today's code: each text that they change is there exactly once", () => {
    const problems = MUTANTS.flatMap(({ rule, without, changes }) => {
      const sources = new Map<string, string>();
      try {
        for (const change of changes) sources.set(change.file, changed(sources.get(change.file) ?? read(change.file), change));
        return [];
      } catch (error) {
        return [`rule ${rule}, without ${without}: ${error instanceof Error ? error.message : error}`];
      }
    });
    assert.deepEqual(problems, []);
  });

  it("name tests that there are", () => {
    const problems = MUTANTS.flatMap(({ noticedBy }) => noticedBy).filter(
      ({ file, title, source = file }) => !existsSync(join(projectRoot, file)) || occurrences(read(source), title) === 0,
    );
    assert.deepEqual(problems, []);
  });

  it("are those of docs/reliability.md (npm run docs writes its tables)", () => {
    const page = read("docs/reliability.md");
    const written = withRules(page, read("docs/delivery.md"), MUTANTS).split("\n");
    const differing = page.split("\n").findIndex((line, at) => line !== written[at]);
    assert.equal(differing, -1, `line ${differing + 1} of the page is not what npm run docs would write`);
    assert.equal(page.split("\n").length, written.length);
  });

  it("are told apart, and each is noticed by a test", () => {
    assert.equal(new Set(MUTANTS.map(({ rule, without }) => `${rule} ${without}`)).size, MUTANTS.length);
    for (const { without, changes, noticedBy } of MUTANTS) assert.ok(changes.length > 0 && noticedBy.length > 0, without);
  });
});
