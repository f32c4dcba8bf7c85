import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { jsonErrorOffset } from "./json-error.js";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("jsonErrorOffset", () => {
  const cases: readonly (readonly [text: string, offset: number])[] = [
    ['{"a":1,}', 7],
    ['{"a":1', 6],
    ['{"a" 1}', 5],
    ["{a:1}", 1],
    ["[1 2]", 3],
    ["[1,]", 3],
    ["[}", 1],
    ['{"a":nul}', 5],
    ["[01]", 1],
    ["[NaN]", 1],
    ['["\\x"]', 2],
    ['["a\nb"]', 3],
    ['{"a":"cut', 9],
    ["{} {}", 3],
    ["", 0],
    ["  ", 2],
  ];
  for (const [text, offset] of cases) {
    it(`finds character ${offset} of ${JSON.stringify(text)}`, () => assert.equal(jsonErrorOffset(text), offset));
  }

  it("finds nothing in any JSON", () => {
    fc.assert(fc.property(fc.json(), (text) => assert.equal(jsonErrorOffset(text), undefined)));
  });

  it("agrees with JSON.parse on what is JSON, whatever is cut or put in", () => {
    const damaged = fc.tuple(fc.json(), fc.nat(), fc.nat(3), fc.constantFrom("", ",", "}", '"', "\\", "1", "e", "\t", "-", "tru"));
    fc.assert(
      fc.property(damaged, ([text, at, cut, put]) => {
        const from = at % (text.length + 1);
        const tried = text.slice(0, from) + put + text.slice(from + cut);
        assert.equal(jsonErrorOffset(tried) === undefined, parses(tried), tried);
      }),
      { numRuns: 2000 },
    );
  });

  it("copes with nesting of any depth", () => {
    assert.equal(jsonErrorOffset("[".repeat(200_000)), 200_000);
    assert.equal(jsonErrorOffset(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), undefined);
  });
});
