import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffDelay, retrying } from "./backoff.js";

const bounds = { firstDelayMs: 1, maxDelayMs: 4 };
const never = new AbortController().signal;

test("the wait doubles up to its bound and is random below it", () => {
  const highest = [1, 2, 3, 4, 50].map((attempt) => backoffDelay(attempt, { firstDelayMs: 100, maxDelayMs: 400 }, () => 1));
  assert.deepEqual(highest, [100, 200, 400, 400, 400]);
  assert.equal(
    backoffDelay(3, { firstDelayMs: 100, maxDelayMs: 400 }, () => 0),
    0,
  );
});

test("an operation is tried again while its failures pass, and its result is given", async () => {
  const seen: number[] = [];
  const operation = async (attempt: number) => {
    seen.push(attempt);
    if (attempt < 3) throw new Error("passing");
    return "done";
  };
  assert.equal(await retrying(operation, { ...bounds, attempts: 5, isPassing: () => true }, never), "done");
  assert.deepEqual(seen, [1, 2, 3]);
});

test("after the last attempt the last error is thrown, and one that does not pass at once", async () => {
  let tries = 0;
  const failing = async () => {
    tries += 1;
    throw new Error(`failure ${tries}`);
  };
  await assert.rejects(retrying(failing, { ...bounds, attempts: 3, isPassing: () => true }, never), /failure 3/);
  await assert.rejects(retrying(failing, { ...bounds, attempts: 3, isPassing: () => false }, never), /failure 4/);
});

test("a wait that the server asked for is kept, up to two minutes", async () => {
  const waits: number[] = [];
  const controller = new AbortController();
  const waitsFor = async (afterMs: number) => {
    const policy = {
      ...bounds,
      attempts: 2,
      isPassing: () => ({ afterMs }),
      onRetry: (_error: unknown, _attempt: number, delayMs: number) => {
        waits.push(delayMs);
        if (delayMs > 1000) controller.abort(new Error("enough"));
      },
    };
    await retrying(
      async (attempt) => {
        if (attempt === 1) throw new Error("busy");
      },
      policy,
      controller.signal,
    );
  };
  await waitsFor(20);
  await assert.rejects(waitsFor(3_600_000), /enough/);
  assert.deepEqual(waits, [20, 120_000]);
});

test("an abort ends a wait with the signal's reason", async () => {
  const controller = new AbortController();
  const policy = { attempts: 2, firstDelayMs: 60_000, maxDelayMs: 60_000, isPassing: () => true, random: () => 1 };
  const running = retrying(
    () => Promise.reject(new Error("down")),
    { ...policy, onRetry: () => setImmediate(() => controller.abort(new Error("stop"))) },
    controller.signal,
  );
  await assert.rejects(running, /^Error: stop$/);
});
