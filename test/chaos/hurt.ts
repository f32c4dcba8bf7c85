/** A run in which nothing was broken proves nothing. */
import assert from "node:assert/strict";
import type { ChaosOptions, ChaosResult } from "./chaos-run.js";

/** @throws AssertionError when what a run claims to stand did not happen in it. */
export function checkThatItHurt(result: ChaosResult, once: ChaosOptions["once"]): void {
  const kills = Object.values(result.kills);
  assert.ok(
    kills.some(({ unfinished }) => unfinished > 0),
    "no process was killed with unfinished work",
  );
  assert.ok(result.redelivered > 0, "no message was delivered another time");
  if (once.includes("broker")) assert.ok(result.brokerKills > 0, "the broker was not killed");
  if (once.includes("messages")) {
    assert.ok(result.messagesLost > 0, "no message was lost at the broker");
    assert.ok(result.rounds > 0, "no round has repaired what was lost");
  }
  if (once.includes("volume")) {
    assert.ok(result.volumesLost > 0, "no volume was lost");
    assert.ok(result.epochs > 0, "no epoch was begun for a lost volume");
  }
}
