import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { SyncResponse } from "../../proto/gen/maskline/v1/gateway.js";
import { Fatal, Retry } from "../runtime/errors.js";
import { IdTaken } from "../runtime/gateway-calls.js";
import { createLogger } from "../runtime/log.js";
import { type SyncLoop, startSyncLoop } from "./sync-loop.js";

const log = createLogger("silent");
const noRuns = { packager: "p", ledgerId: "l", runs: [] };

/** A loop to a gateway that answers when the test says so. */
function manualGateway(
  urgencies: ("now" | "soon" | "later")[] = [],
  onFatal: (error: Error) => void = (error) => assert.fail(error),
  everyMs = 300,
) {
  const calls = new EventTarget();
  const waiting: ((reply: SyncResponse | Error) => void)[] = [];
  let inFlight = 0;
  let most = 0;
  let count = 0;
  const loop: SyncLoop = startSyncLoop({
    address: "gateway:1",
    sync: () => {
      count += 1;
      inFlight += 1;
      most = Math.max(most, inFlight);
      calls.dispatchEvent(new Event("call"));
      return new Promise<SyncResponse>((resolve, reject) => {
        waiting.push((reply) => (reply instanceof Error ? reject(reply) : resolve(reply)));
      }).finally(() => {
        inFlight -= 1;
      });
    },
    request: () => ({ request: noRuns, apply: async () => urgencies.shift() ?? "later" }),
    everyMs,
    onFatal,
    log,
  });
  return {
    loop,
    count: () => count,
    most: () => most,
    answer: (reply: SyncResponse | Error = { gateway: "g", runs: [] }) => waiting.shift()?.(reply),
    call: () => once(calls, "call", { signal: AbortSignal.timeout(5_000) }),
  };
}

test("never two at once: changes during a Sync are told by the next one", async () => {
  const gateway = manualGateway();
  await gateway.call();
  gateway.loop.wake("now");
  gateway.loop.wake("soon");
  await sleep(200);
  assert.equal(gateway.count(), 1);
  gateway.answer();
  await gateway.call();
  assert.equal(gateway.most(), 1);
  gateway.loop.stop();
});

test("a packager whose id another one has does not go on", async () => {
  const fatal: Error[] = [];
  const gateway = manualGateway([], (error) => fatal.push(error));
  await gateway.call();
  gateway.answer(new IdTaken("two are p1"));
  await sleep(700);
  assert.equal(gateway.count(), 1);
  assert.equal(fatal.length, 1);
  assert.ok(fatal[0] instanceof Fatal && fatal[0].cause instanceof IdTaken);
  gateway.loop.stop();
});

test("a change is told soon, and an urgent one at once, long before the next Sync is due", async () => {
  const gateway = manualGateway([], assert.fail, 600_000);
  for (const urgency of ["soon", "now"] as const) {
    await gateway.call();
    gateway.answer();
    await sleep(20);
    gateway.loop.wake(urgency);
  }
  await gateway.call();
  gateway.loop.stop();
});

test("it syncs again by itself when nothing changes", async () => {
  const gateway = manualGateway();
  await gateway.call();
  gateway.answer();
  await gateway.call();
  assert.equal(gateway.count(), 2);
  gateway.loop.stop();
});

test("a new epoch is echoed at once", async () => {
  const gateway = manualGateway(["now"]);
  await gateway.call();
  const next = gateway.call();
  gateway.answer();
  await next;
  gateway.loop.stop();
});

test("a gateway that is away is asked again, and its id is kept", async () => {
  const gateway = manualGateway();
  await gateway.call();
  gateway.loop.wake("now");
  gateway.answer();
  await gateway.call();
  assert.equal(gateway.loop.gateway(), "g");
  gateway.answer(new Retry("away"));
  await gateway.call();
  assert.equal(gateway.loop.gateway(), "g");
  gateway.loop.stop();
});

test("changes do not shorten the pause after a failure", async () => {
  const gateway = manualGateway();
  await gateway.call();
  const failedAt = performance.now();
  gateway.answer(new Retry("away"));
  let isCalled = false;
  const next = gateway.call().then(() => {
    isCalled = true;
    return performance.now();
  });
  for (let urgency = 0; !isCalled; urgency++) {
    gateway.loop.wake(urgency % 2 === 0 ? "now" : "soon");
    await Promise.race([sleep(20), next]);
  }
  const pauseMs = (await next) - failedAt;
  assert.ok(pauseMs > 450, `called again after ${pauseMs} ms`);
  gateway.loop.stop();
});

test("a stopped loop calls nobody and applies nothing", async () => {
  const gateway = manualGateway();
  await gateway.call();
  gateway.loop.stop();
  gateway.answer();
  gateway.loop.wake("now");
  await sleep(150);
  assert.equal(gateway.count(), 1);
  assert.equal(gateway.loop.gateway(), undefined);
});
