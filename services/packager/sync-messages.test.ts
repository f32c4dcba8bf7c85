import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RunState } from "../../proto/gen/maskline/v1/gateway.js";
import { createLogger } from "../runtime/log.js";
import { recoverRuns } from "./held-runs.js";
import { applyReply } from "./sync-messages.js";
import { openVolume } from "./volume.js";

const log = createLogger("silent");
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-sync-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("what a gateway says of another one's run changes nothing", async () => {
  const runs = await recoverRuns(await openVolume(folder, log), log);
  const run = await runs.begin("A", 1, "mine");
  run.total = 7;
  const { ENDED, UNKNOWN, OPEN } = RunState;
  for (const state of [ENDED, UNKNOWN, OPEN]) {
    const pinned = { run: "A", epoch: 5, round: 0, state, wantMissing: true, total: 1 };
    const urgency = await applyReply({ gateway: "another", runs: [pinned] }, [run], { runs, unknownKeepMs: 0, log });
    assert.equal(urgency, "later");
    assert.equal(runs.get("A"), run);
    assert.deepEqual([run.gateway, run.total, run.missingWanted, run.unknownSince], ["mine", 7, undefined, undefined]);
  }
  assert.equal(runs.hasEnded("A"), false);
  await runs.close();
});
