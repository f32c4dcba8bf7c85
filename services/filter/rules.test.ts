import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batchRule, furthestRule, type Rules, standingRule } from "./rules.js";

const rules = (changed: Partial<Rules>): Rules => ({ batchNames: new Set(), exportReviewed: true, exportLabeled: true, ...changed });

describe("the batch rule", () => {
  const cases: readonly (readonly [chosen: string[], batches: string[], expected: string | undefined])[] = [
    [[], [], undefined],
    [[], ["a"], undefined],
    [["a"], ["a"], undefined],
    [["a", "b"], ["c", "b"], undefined],
    [["a"], ["b"], "batch_names"],
    [["a"], [], "batch_names"],
    [["a"], ["A"], "batch_names"],
  ];
  for (const [chosen, batches, expected] of cases) {
    it(`chosen [${chosen}], in [${batches}]: ${expected ?? "passes"}`, () =>
      assert.equal(batchRule(rules({ batchNames: new Set(chosen) }), batches), expected));
  }
});

describe("the rules for labeled and reviewed tasks", () => {
  const neither = { labeled: false, reviewed: false };
  const labeled = { labeled: true, reviewed: false };
  const reviewed = { labeled: true, reviewed: true };
  for (const exportReviewed of [true, false]) {
    for (const exportLabeled of [true, false]) {
      it(`export_reviewed_assets ${exportReviewed}, export_labeled_assets ${exportLabeled}`, () => {
        const chosen = rules({ exportReviewed, exportLabeled });
        assert.equal(standingRule(chosen, neither), "not_labeled");
        assert.equal(standingRule(chosen, labeled), exportLabeled ? undefined : "export_labeled_assets");
        assert.equal(standingRule(chosen, reviewed), exportReviewed ? undefined : "export_reviewed_assets");
      });
    }
  }

  it("name the rule that the furthest task met", () => {
    assert.equal(furthestRule(["not_labeled", "export_labeled_assets", "export_reviewed_assets"]), "export_reviewed_assets");
    assert.equal(furthestRule(["not_labeled", "export_labeled_assets"]), "export_labeled_assets");
    assert.equal(furthestRule(["not_labeled"]), "not_labeled");
  });
});
