import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "../runtime/log.js";
import { createBell } from "./bell.js";
import { createPackagers } from "./packagers.js";
import { type PinParts, pinToPackager } from "./pin-run.js";
import type { EndedRun, OpenRun, RunRecord } from "./run-record.js";

const base = {
  run: "R",
  plugin: "plugin",
  session: { session: "S", projectId: "P", apiKey: "k", orgId: "O", runBy: "U", configJson: undefined, stage: undefined, batches: [] },
  acceptedAt: 0,
};
const frozen = { total: 3, bytes: 30, archiveName: "a.zip", verbose: true, verboseFrequency: 10 };
const pin = { packager: "p1", ledgerId: "L", epoch: 1, round: 0, position: 0, fruitless: 0, targets: [] };
const open: OpenRun = { ...base, state: "open", frozen, pin };
const ended: EndedRun = {
  ...base,
  state: "ended",
  epoch: 1,
  end: { answer: { error: true, session: "S" }, lines: [], at: 0, confirmedAt: undefined },
};

test("a run that its silent packager reports while another one is looked for is let go of", async () => {
  let stored: RunRecord = open;
  let now = 0;
  const bell = createBell();
  const parts: PinParts = {
    store: { get: () => stored, active: () => [], change: async () => assert.fail("nothing is to be changed") },
    packagers: createPackagers({ now: () => now, inSync: 1 }),
    book: { bell: () => bell },
    timing: { now: () => now++, tick: 60_000, giveUp: 100, waitNotice: 100 },
    tell: () => undefined,
    log: createLogger("silent"),
  };
  const pinning = pinToPackager(open, "p1", parts, new AbortController().signal);
  await new Promise(setImmediate);
  stored = ended;
  bell.ring();
  assert.equal(await pinning, undefined);
});
