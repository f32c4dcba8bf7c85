import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutcomeCounts } from "../../proto/gen/maskline/v1/gateway.js";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { acceptedText, finishedLine, problemsText, progressText, waitingForTurnText } from "./user-log.js";

const context: RunContext = {
  run: "R",
  session: "S",
  projectId: "P",
  archiveName: "masks.zip",
  settings: {
    classMappingType: "single_channel_sequential",
    exportReviewedAssets: true,
    exportLabeledAssets: true,
    batchNames: [],
    verbose: true,
    verboseFrequency: 1000,
    includeKeyFramesOnly: false,
  },
  mode: ColourMode.GRAY,
  classes: Array.from({ length: 8 }, (_, index) => ({ title: `c${index}`, value: index + 1, schemaIds: [] })),
  stages: [],
};

const counts = (values: Partial<OutcomeCounts>): OutcomeCounts => ({
  maskedAssets: 0,
  masks: 0,
  skipped: {},
  rejected: {},
  dropped: {},
  ...values,
});

test("the accepted line tells assets, classes and settings", () => {
  assert.equal(
    acceptedText(12_345, context),
    "Session accepted: 12,345 assets, 8 classes, single_channel_sequential, reviewed and labeled assets, all batches.",
  );
});

test("a progress line tells how far, how fast and how long", () => {
  assert.equal(progressText({ accounted: 4000, total: 12_345, perSecond: 870 }), "4,000 of 12,345 (32 %), 870/s, about 10 s left");
  assert.equal(progressText({ accounted: 10, total: 100, perSecond: 0.25 }), "10 of 100 (10 %), 0.3/s, about 6 min 0 s left");
  assert.equal(progressText({ accounted: 10, total: 100, perSecond: 0 }), "10 of 100 (10 %)");
});

test("an end with every asset painted is an INFO", () => {
  assert.deepEqual(finishedLine(counts({ masks: 12, maskedAssets: 11, skipped: { not_labeled: 3 } }), 14.2), {
    level: "INFO",
    message: "Done in 14 s: 12 masks for 11 of 14 assets. Left out by the settings: 3 (nobody labeled it).",
  });
});

test("an end with rejected assets or dropped objects is a WARNING that counts them by reason and kind", () => {
  const line = finishedLine(
    counts({ masks: 1, maskedAssets: 1, rejected: { no_size: 2 }, dropped: { "bounding-box": 37, "no points": 1, brush: 2 } }),
    3700,
  );
  assert.equal(line.level, "WARNING");
  assert.equal(
    line.message,
    "Done in 1 h 1 min: 1 mask for 1 of 3 assets. Rejected: 2 (neither the export nor its image tells its size). " +
      "Not painted: 37 bounding boxes, 2 brushes, 1 object without points. The manifest in the archive names each.",
  );
});

test("hostile kinds can not flood the console", () => {
  const dropped = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${"x".repeat(5000)}${index}`, 1]));
  assert.ok(finishedLine(counts({ dropped }), 1).message.length < 1500);
});

test("several problems are told at once", () => {
  assert.equal(problemsText(["a", "b"]), "The export can not run, for 2 reasons:\n- a\n- b");
  assert.match(waitingForTurnText(1), /1 session is running/);
});
