import assert from "node:assert/strict";
import { test } from "node:test";
import { createRunKeeper } from "./run-keeper.js";
import type { AcceptedRun } from "./run-record.js";

const accepted = (run: string): AcceptedRun => ({
  run,
  plugin: "plugin",
  session: { session: run, projectId: "P", apiKey: "k", orgId: "", runBy: "", configJson: undefined, stage: undefined, batches: [] },
  acceptedAt: 0,
  state: "accepted",
});

test("any number of sessions may wait their turn without a warning of the runtime", async (context) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  context.after(() => process.off("warning", onWarning));
  let waiting = 0;
  const keeper = createRunKeeper({
    maxSessions: 1,
    drive: (_run, signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
    onWait: () => void waiting++,
    onLeft: () => undefined,
  });
  for (let k = 0; k < 20; k += 1) keeper.begin(accepted(`R${k}`));
  await new Promise(setImmediate);
  await keeper.stop();
  assert.equal(waiting, 19);
  assert.deepEqual(warnings, []);
});
