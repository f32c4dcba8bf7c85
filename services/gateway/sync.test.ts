import assert from "node:assert/strict";
import { test } from "node:test";
import { RunPhase, RunState, type SpooledRun } from "../../proto/gen/maskline/v1/gateway.js";
import { createPackagers } from "./packagers.js";
import { createProgressBook } from "./run-progress.js";
import type { OpenRun, Pin } from "./run-record.js";
import { answerSync } from "./sync.js";

const pin: Pin = { packager: "p1", ledgerId: "ledger", epoch: 2, round: 0, position: 0, fruitless: 0, targets: [] };
const session = { session: "S", projectId: "P", apiKey: "k", orgId: "", runBy: "", configJson: undefined, stage: undefined, batches: [] };
const frozen = { total: 9, bytes: 1, archiveName: "a.zip", verbose: true, verboseFrequency: 1 };
const pinned = (run: string, where: Partial<Pin> = {}): OpenRun => ({
  ...{ run, plugin: "plugin", session, acceptedAt: 0, state: "open", frozen },
  pin: { ...pin, ...where },
});

function gateway(...records: OpenRun[]) {
  const book = createProgressBook(() => 0);
  const packagers = createPackagers({ now: () => 0, inSync: 1 });
  const runs = { active: () => records, get: (run: string) => records.find((record) => record.run === run) };
  const told = (run: string, epoch: number, accounted: number): SpooledRun => ({
    ...{ run, epoch, accounted, bytes: 0, phase: RunPhase.SPOOLING, counts: undefined, missing: [] },
  });
  const sync = (ledgerId: string, ...spooled: SpooledRun[]) =>
    answerSync({ packager: "p1", ledgerId, runs: spooled, otherRuns: 0 }, { gatewayId: "g", runs, packagers, book });
  return { book, sync, told };
}

test("what a packager tells of another epoch, or from another ledger, is no echo and counts for nothing", () => {
  const { book, sync, told } = gateway(pinned("A"));
  for (const reply of [sync("ledger", told("A", 1, 5)), sync("ledger", told("A", 3, 5))]) {
    assert.deepEqual(
      reply.runs.map(({ run, epoch, total, state }) => [run, epoch, total, state]),
      [["A", 2, 9, RunState.OPEN]],
    );
    assert.deepEqual([book.of("A", pin).echoed, book.of("A", pin).accounted], [false, 0]);
  }
  sync("ledger", told("A", 2, 4));
  assert.deepEqual([book.of("A", pin).echoed, book.of("A", pin).accounted], [true, 4]);
  sync("another ledger", told("A", 2, 6));
  assert.equal(book.of("A", pin).accounted, 4);
});

test("the total is told in every answer, also when the run is known", () => {
  const { sync, told } = gateway(pinned("A"));
  for (let k = 0; k < 3; k += 1) assert.equal(sync("ledger", told("A", 2, k)).runs[0]?.total, 9);
});

test("the answer names every run that is pinned to the packager, and of the others those alone that it tells of", () => {
  const { sync, told } = gateway(pinned("A"), pinned("B", { packager: "p2" }), pinned("C"));
  const states = (reply: ReturnType<typeof sync>) => reply.runs.map(({ run, state }) => [run, state]);
  const open = [
    ["A", RunState.OPEN],
    ["C", RunState.OPEN],
  ];
  assert.deepEqual(states(sync("ledger")), open);
  // Pinned elsewhere by now: neither ended nor unknown, so that its spool is kept.
  assert.deepEqual(states(sync("ledger", told("B", 1, 1), told("never here", 1, 1))), [...open, ["never here", RunState.UNKNOWN]]);
});
