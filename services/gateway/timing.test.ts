import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTiming } from "./timing.js";

test("durations are taken from a clock that nobody sets, what is stored from the one on the wall", () => {
  assert.ok(Math.abs(defaultTiming.now() - performance.now()) < 60_000);
  assert.ok(Math.abs(defaultTiming.wallClock() - Date.now()) < 60_000);
});
