import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearestName } from "./nearest-name.js";

test("the distance counts insertions, deletions, replacements and swaps of neighbours", () => {
  for (const [a, b, distance] of [
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["verbsoe", "verbose", 1],
    ["same", "same", 0],
  ] as const) {
    assert.equal(editDistance(a, b), distance, `${a} -> ${b}`);
  }
});

test("capitals and separators are no difference", () => {
  assert.equal(nearestName("Batch-Names", ["verbose", "batch_names"]), "batch_names");
});

test("of several near names the nearest is meant", () => {
  assert.equal(nearestName("verbos_frequency", ["verbose", "verbose_frequency"]), "verbose_frequency");
});

test("a name that is far from all means none", () => {
  assert.equal(nearestName("colour", ["batch_names", "verbose"]), undefined);
  assert.equal(nearestName("x".repeat(5000), ["x".repeat(4999)]), undefined);
});
