import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { projectRoot } from "../project-root.js";

/** Sections that name tests, and the file that is meant where none is named. */
const SECTIONS: Readonly<Record<string, string>> = {
  "### 8.1": "test/hazards/failures.test.ts",
  "### 9.1": "test/hazards/hazards.test.ts",
};

const page = readFileSync(join(projectRoot, "docs/hub-protocol.md"), "utf8");

interface Row {
  readonly subject: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** The rows of a section's table: what they are about, and the tests in their last column. */
function rowsOf(heading: string, file: string): Row[] {
  const section = page.slice(page.indexOf(heading)).split(/\n(?=#|---)/)[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((line) => {
    const cells = line.split(" | ");
    return { subject: cells[0]?.slice(2) ?? "", tests: testsIn(cells.at(-1) ?? "", file) };
  });
}

/** `file: "title", "title", file: "title"`; a file holds for the titles behind it. */
function testsIn(text: string, file: string): Row["tests"] {
  let current = file;
  return [...text.matchAll(/([\w./-]+\.test\.ts)|"([^"]+)"/g)].flatMap(([, named, title]) => {
    if (named !== undefined) current = named;
    return title === undefined ? [] : [{ file: current, title }];
  });
}

/** Titles as the source writes them; what it puts in is `…`. */
function titlesIn(file: string): ReadonlySet<string> {
  const source = readFileSync(join(projectRoot, file), "utf8");
  const titles = source.matchAll(/\b(?:it|test)\(\s*(["`])((?:\\.|(?!\1).)*)\1/gs);
  return new Set(Array.from(titles, ([, , title]) => (title ?? "").replaceAll(/\$\{[^}]*\}/g, "…").replaceAll(/\\(.)/g, "$1")));
}

describe("docs/hub-protocol.md", () => {
  it("names, for each failure and hazard, tests that exist", () => {
    for (const [heading, file] of Object.entries(SECTIONS)) {
      const rows = rowsOf(heading, file);
      assert.ok(rows.length > 10, `${heading} has a table`);
      for (const { subject, tests } of rows) {
        assert.ok(tests.length > 0, `${heading} ${subject} names a test`);
        for (const test of tests) assertExists(test);
      }
    }
  });

  it("has a row for each of the hazards", () => {
    const hazards = [...page.slice(page.indexOf("## 9. "), page.indexOf("### 9.1")).matchAll(/^(\d+)\. /gm)].map(([, number]) => number);
    assert.equal(hazards.length, 15);
    assert.deepEqual(
      rowsOf("### 9.1", "").map(({ subject }) => subject),
      hazards,
    );
  });

  it("names tests in its text that exist", () => {
    const text = page.slice(page.indexOf("Secrets of all kinds are looked for")).split("\n\n")[0] ?? "";
    const tests = testsIn(text.replaceAll("\n", " "), "");
    assert.equal(tests.length, 2);
    tests.forEach(assertExists);
    for (const file of page.match(/(?:test|services)\/[\w/-]+\.(?:test\.)?ts/g) ?? []) assert.ok(existsSync(join(projectRoot, file)), file);
  });
});

function assertExists({ file, title }: Row["tests"][number]): void {
  assert.ok(titlesIn(file).has(title), `${file} has no test ${JSON.stringify(title)}; it has:\n${[...titlesIn(file)].join("\n")}`);
}
