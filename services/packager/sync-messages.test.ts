import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type PinnedRun, RunPhase, RunState, type SyncResponse } from "../../proto/gen/maskline/v1/gateway.js";
import { createLogger } from "../runtime/log.js";
import { recoverRuns } from "./held-runs.js";
import { applyReply, spooledRun } from "./sync-messages.js";
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

const open = (fields: Partial<PinnedRun> = {}): SyncResponse => ({
  gateway: "mine",
  runs: [{ run: "B", epoch: 2, round: 0, state: RunState.OPEN, wantMissing: false, total: 5, ...fields }],
});

test("a new epoch is echoed at once, and what is missing told soon", async () => {
  const runs = await recoverRuns(await openVolume(join(folder, "echo"), log), log);
  const options = { runs, unknownKeepMs: 60_000, log };
  assert.equal(await applyReply(open(), [], options), "now");
  assert.equal(await applyReply(open(), runs.all(), options), "later");
  assert.equal(await applyReply(open({ round: 1, wantMissing: true }), runs.all(), options), "soon");
  assert.deepEqual(runs.all().map(spooledRun), [
    {
      ...{ run: "B", epoch: 2, accounted: 0, bytes: 0, phase: RunPhase.SPOOLING, missing: [{ first: 0, end: 5 }], missingForRound: 1 },
      counts: { maskedAssets: 0, masks: 0, skipped: {}, rejected: {}, dropped: {} },
    },
  ]);
  assert.equal(await applyReply(open({ round: 1, wantMissing: true }), runs.all(), options), "later");
  assert.equal(await applyReply(open({ epoch: 3 }), runs.all(), options), "now");
  await runs.close();
});

test("an answer that is late and tells a lower epoch changes nothing", async () => {
  const runs = await recoverRuns(await openVolume(join(folder, "late"), log), log);
  const held = await runs.begin("B", 3, "mine");
  assert.equal(await applyReply(open(), [held], { runs, unknownKeepMs: 0, log }), "later");
  assert.equal(runs.get("B"), held);
  assert.deepEqual([held.total, held.gone.signal.aborted], [undefined, false]);
  await runs.close();
});

test("a run that its gateway does not name is kept for a while, and not packed; named again it goes on", async () => {
  const runs = await recoverRuns(await openVolume(join(folder, "unnamed"), log), log);
  await applyReply(open(), [], { runs, unknownKeepMs: 60_000, log });
  const unnamed = { gateway: "mine", runs: [] };
  await applyReply(unnamed, runs.all(), { runs, unknownKeepMs: 60_000, log });
  assert.deepEqual([runs.get("B")?.epoch, runs.get("B")?.total], [2, undefined]);
  // It is named again: all is as before.
  await applyReply(open(), runs.all(), { runs, unknownKeepMs: 60_000, log });
  assert.deepEqual([runs.get("B")?.total, runs.get("B")?.unknownSince], [5, undefined]);
  await applyReply(unnamed, runs.all(), { runs, unknownKeepMs: 0, log });
  assert.equal(runs.get("B"), undefined);
  assert.equal(runs.hasEnded("B"), true);
  // Its gateway is restored, or has pinned it here again: its outcomes are no late repeats.
  await applyReply(open({ epoch: 3 }), [], { runs, unknownKeepMs: 0, log });
  assert.deepEqual([runs.get("B")?.epoch, runs.hasEnded("B")], [3, false]);
  await runs.close();
});
