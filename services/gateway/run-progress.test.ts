import assert from "node:assert/strict";
import { test } from "node:test";
import { RunPhase, type SpooledRun } from "../../proto/gen/maskline/v1/gateway.js";
import { createProgressBook } from "./run-progress.js";
import type { Pin } from "./run-record.js";

const pin: Pin = { packager: "p", ledgerId: "L", epoch: 1, round: 0, position: 0, fruitless: 0, targets: [] };
const spooled = (accounted: number): SpooledRun => ({
  ...{ run: "R", epoch: 1, accounted, bytes: 0, phase: RunPhase.UNSPECIFIED },
  ...{ counts: undefined, missing: [], missingForRound: undefined },
});

function open() {
  const clock = { now: 0 };
  const book = createProgressBook(() => clock.now);
  const tell = (accounted: number, at: number, round = 0) => {
    clock.now = at;
    book.told("R", { ...pin, round }, 10, spooled(accounted));
    return book.of("R", pin);
  };
  return { book, tell };
}

test("a packager that finds a damaged record is believed when it tells less than before", () => {
  const { tell } = open();
  assert.equal(tell(10, 1).accounted, 10);
  assert.equal(tell(9, 2).accounted, 9);
});

test("only what passes the highest of a round is progress: neither a late telling nor the one after it is", () => {
  const { tell } = open();
  assert.equal(tell(5, 1).movedAt, 1);
  assert.equal(tell(4, 2).movedAt, 1);
  assert.equal(tell(5, 3).movedAt, 1);
  assert.equal(tell(6, 4).movedAt, 4);
});

test("a round that makes up for lost records is progress, though there were more before it", () => {
  const { tell } = open();
  tell(10, 1);
  tell(7, 2);
  assert.equal(tell(7, 3, 1).movedAt, 1);
  assert.equal(tell(8, 4, 1).movedAt, 4);
});

test("whoever waits for a change is woken by less, too", async () => {
  const { book, tell } = open();
  tell(10, 1);
  const woken = book.bell("R").next(60_000, new AbortController().signal);
  tell(9, 2);
  await woken;
});
