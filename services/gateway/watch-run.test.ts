import assert from "node:assert/strict";
import { test } from "node:test";
import { RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import { decide, MAX_EPOCHS, type Situation } from "./watch-run.js";

const limits = { stall: 300, silence: 900, giveUp: 10_000 };
const pin: Situation["pin"] = { packager: "p", ledgerId: "L", epoch: 1, round: 0, position: 0, fruitless: 0, targets: [] };
const progress: Situation["progress"] = {
  accounted: 5,
  epoch: 1,
  bytes: 0,
  phase: RunPhase.SPOOLING,
  echoed: true,
  missing: undefined,
  movedAt: 1000,
  highest: { round: 0, accounted: 5 },
};
const calm: Situation = {
  now: 1200,
  total: 10,
  pin,
  progress,
  roundAt: 1000,
  awayUntil: 1000,
  outage: undefined,
  trouble: undefined,
  packager: { ledgerId: "L", heardAt: 1200 },
  watchingSince: 0,
  replacement: false,
};
const kind = (changes: Partial<Situation>) => decide({ ...calm, ...changes }, limits).kind;

test("as long as something moves there is nothing to do", () => {
  assert.equal(kind({}), "wait");
});

test("no progress for the stall time begins a round", () => {
  assert.deepEqual(decide({ ...calm, now: 1300 }, limits), { kind: "round", fruitless: 0 });
});

test("the time that bus or packager were away is no stall", () => {
  assert.equal(kind({ now: 1300, awayUntil: 1100 }), "wait");
  assert.equal(kind({ now: 1400, awayUntil: 1100 }), "round");
});

test("a round is given its full time", () => {
  assert.equal(kind({ now: 1300, roundAt: 1100, pin: { ...pin, round: 1 } }), "wait");
});

test("a round that brought nothing counts, one that brought something counts from zero again", () => {
  const later = { ...pin, round: 2, fruitless: 1 };
  assert.deepEqual(decide({ ...calm, now: 1300, pin: later }, limits), { kind: "round", fruitless: 2 });
  const moved = { ...progress, movedAt: 1001 };
  assert.deepEqual(decide({ ...calm, now: 1400, pin: later, progress: moved }, limits), { kind: "round", fruitless: 0 });
});

test("three fruitless rounds end the session", () => {
  assert.equal(kind({ now: 1300, pin: { ...pin, round: 3, fruitless: 2 } }), "fail");
});

test("another ledger means a new epoch, but not for ever", () => {
  const packager = { ledgerId: "M", heardAt: 1200 };
  assert.deepEqual(decide({ ...calm, packager }, limits), { kind: "epoch", reason: "ledger" });
  assert.equal(kind({ packager, pin: { ...pin, epoch: MAX_EPOCHS } }), "fail");
});

test("a silent packager is replaced when there is another one, and waited for when there is none", () => {
  const silent = { now: 2200, packager: { ledgerId: "L", heardAt: 1300 }, awayUntil: 2200 };
  assert.deepEqual(decide({ ...calm, ...silent, replacement: true }, limits), { kind: "epoch", reason: "silence" });
  assert.equal(kind(silent), "wait");
});

test("after a restart silence counts from when the process began to listen", () => {
  const unheard = { now: 2200, packager: undefined, awayUntil: 2200, replacement: true };
  assert.equal(kind({ ...unheard, watchingSince: 1500 }), "wait");
  assert.equal(kind({ ...unheard, watchingSince: 1300 }), "epoch");
});

test("when all assets are done the archive is waited for, but not for ever", () => {
  const done = { progress: { ...progress, accounted: 10 } };
  assert.equal(kind({ ...done, now: 5000 }), "wait");
  assert.equal(kind({ ...done, now: 11_000 }), "fail");
});

test("a run that waited for an outage to the end names it", () => {
  const outage = "the blob store can not be reached";
  const decision = decide({ ...calm, now: 11_000, awayUntil: 11_000, outage }, limits);
  assert.ok(decision.kind === "fail" && decision.reason.endsWith(outage));
});

test("a run whose archive waited to the end says for what", () => {
  const trouble = "Asking Hub where to upload the archive failed: Hub answered HTTP 503.";
  const decision = decide({ ...calm, now: 11_000, progress: { ...progress, accounted: 10 }, trouble }, limits);
  assert.ok(decision.kind === "fail" && decision.reason.endsWith(`within 10 seconds. ${trouble}`));
});
