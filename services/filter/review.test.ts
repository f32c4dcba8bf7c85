import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readAssetRow } from "./asset-row.js";
import { standingsOf } from "./review.js";
import { stageKinds } from "./stages.js";

const STAGES = stageKinds([
  { id: "s0", name: "Start", type: "Start" },
  { id: "s1", name: "Annotate", type: "Label" },
  { id: "s2", name: "Check", type: "Review" },
  { id: "s3", name: "Done", type: "Complete" },
  { id: "s4", name: "Review bot", type: "Plugin" },
]);
const NO_STAGES = stageKinds([]);

const REVIEWED = "reviewed";
const LABELED = "labeled";
const NEITHER = "neither";

function standing(row: object, stages = STAGES, taskAt = 0): string {
  const read = readAssetRow(Buffer.from(JSON.stringify(row)));
  const found = standingsOf(read, stages)[taskAt];
  assert.ok(found);
  const { labeled, reviewed } = found;
  assert.ok(labeled || !reviewed, "reviewed implies labeled");
  return reviewed ? REVIEWED : labeled ? LABELED : NEITHER;
}

const v3 = (task: object) => ({ task: { stageId: "s1", stage: "Annotate", ...task } });
const history = (...stageHistory: object[]) => v3({ stageHistory });
const at = (day: number) => new Date(Date.UTC(2024, 0, day)).toISOString();

describe("the standing of a v3 task", () => {
  const cases: readonly (readonly [title: string, row: object, expected: string])[] = [
    ["nothing said", v3({}), NEITHER],
    ["only a Start entry", history({ stageId: "s0", completedAt: at(1) }), NEITHER],
    ["a completed Label entry", history({ stageId: "s1", completedAt: at(1) }), LABELED],
    ["a Label entry that is not completed", history({ stageId: "s1", completedAt: null }), NEITHER],
    ["a completed Review entry", history({ stageId: "s2", completedAt: at(1) }), REVIEWED],
    ["a Review entry found by its name", history({ stageId: "gone", stage: "Check", completedAt: at(1) }), REVIEWED],
    ["a Review entry that rejected it", history({ stageId: "s2", completedAt: at(1), reviewStatus: "Rejected" }), REVIEWED],
    ["a Review entry still to do", history({ stageId: "s1", completedAt: at(1) }, { stageId: "s2", reviewStatus: "Todo" }), LABELED],
    [
      "a second review that is still open",
      history({ stageId: "s1", completedAt: at(1) }, { stageId: "s2", completedAt: at(2) }, { stageId: "s2", completedAt: null }),
      LABELED,
    ],
    [
      "a second review that is still open, and no Label entry",
      history({ stageId: "s2", completedAt: at(2) }, { stageId: "s2", completedAt: null }),
      LABELED,
    ],
    [
      "reviews in any order of their times",
      history({ stageId: "s2", completedAt: at(9) }, { stageId: "s2", completedAt: at(2) }),
      REVIEWED,
    ],
    ["labeled again after its review", history({ stageId: "s2", completedAt: at(2) }, { stageId: "s1", completedAt: at(3) }), REVIEWED],
    ["a verdict on an entry of any stage", history({ stageId: "s1", reviewStatus: "Fixed" }), REVIEWED],
    ["a plugin stage with Review in its name", history({ stageId: "s4", stage: "Review bot", completedAt: at(1) }), NEITHER],
    ["in a stage of type Complete, without a history", { task: { stageId: "s3", stage: "Done" } }, LABELED],
    ["labeledAt", { labeledAt: at(1), task: {} }, LABELED],
    ["the task's own completedAt", v3({ completedAt: at(1) }), LABELED],
    ["a time that can not be read", history({ stageId: "s2", completedAt: "yesterday" }), REVIEWED],
    ["a time in milliseconds", history({ stageId: "s1", completedAt: 1_700_000_000_000 }), LABELED],
  ];
  for (const [title, row, expected] of cases) it(`${title}: ${expected}`, () => assert.equal(standing(row), expected));

  const byWords: readonly (readonly [stage: string, expected: string])[] = [
    ["Review", REVIEWED],
    ["2nd Review", REVIEWED],
    ["Label", LABELED],
    ["Start", NEITHER],
  ];
  for (const [stage, expected] of byWords) {
    it(`without the project's stages, a completed "${stage}" entry: ${expected}`, () => {
      assert.equal(standing({ task: { stage: "Hold", stageHistory: [{ stage, stageId: "x", completedAt: at(1) }] } }, NO_STAGES), expected);
    });
  }

  it(`without the project's stages, in the stage "Complete": ${LABELED}`, () => {
    assert.equal(standing({ task: { stage: "Complete", stageId: "Complete" } }, NO_STAGES), LABELED);
  });
});

describe("the standing of a v2 task", () => {
  const one = (task: object, asset: object = {}) => ({ ...asset, tasks: [task] });
  const cases: readonly (readonly [title: string, row: object, expected: string])[] = [
    ["nothing said", one({}), NEITHER],
    ["completedAt", one({ completedAt: at(1) }), LABELED],
    ["status Completed", one({ status: "Completed" }), LABELED],
    ["status In Progress", one({ status: "In Progress" }), NEITHER],
    ["review Todo", one({ completedAt: at(1), review: { status: "Todo", completedBy: [], completedAt: null } }), LABELED],
    ["review To-Do", one({ completedAt: at(1), review: { status: "To-Do" } }), LABELED],
    ["review Accepted", one({ completedAt: at(1), review: { status: "Accepted" } }), REVIEWED],
    ["review Rejected", one({ completedAt: at(1), review: { status: "Rejected" } }), REVIEWED],
    ["the asset's reviewedAt", one({ completedAt: at(1), review: { status: "Todo" } }, { reviewedAt: at(2) }), REVIEWED],
    ["the asset's reviewedAt alone", one({}, { reviewedAt: at(2) }), REVIEWED],
    ["the asset's labeledAt", one({ review: null }, { labeledAt: at(1) }), LABELED],
    ["the asset's status", one({}, { status: "Labeled" }), LABELED],
  ];
  for (const [title, row, expected] of cases) it(`${title}: ${expected}`, () => assert.equal(standing(row), expected));

  it("leaves a task unlabeled that nobody completed beside one that somebody did", () => {
    const row = { labeledAt: at(1), tasks: [{ completedAt: at(1) }, { completedAt: null }] };
    assert.deepEqual([standing(row, STAGES, 0), standing(row, STAGES, 1)], [LABELED, NEITHER]);
  });
});
