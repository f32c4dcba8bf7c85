import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { classLookup, classOf } from "./classes.js";

describe("classOf", () => {
  const classes = classLookup([
    { title: "Car", value: 1, schemaIds: ["c1", "c2"] },
    { title: "Road", value: 2, schemaIds: ["r1"] },
  ]);

  it("matches by schema id before title", () => assert.deepEqual(classOf(classes, "r1", "Car"), { index: 1, value: 2 }));
  it("knows every tool of a class", () => assert.deepEqual(classOf(classes, "c2", ""), { index: 0, value: 1 }));
  it("falls back on the title", () => assert.deepEqual(classOf(classes, "gone", "Road"), { index: 1, value: 2 }));
  it("knows no class of another name", () => assert.equal(classOf(classes, "gone", "constructor"), undefined));
});
