import assert from "node:assert/strict";
import { test } from "node:test";
import { Fatal, Retry } from "../errors.js";
import type { OutgoingMessage } from "./bus.js";
import { Outage, publishPatiently } from "./publish-patiently.js";

const never = new AbortController().signal;
const quick = { firstDelayMs: 1, maxDelayMs: 2 };
const message = (id: string): OutgoingMessage => ({ queue: "q", key: "R", id, headers: {}, body: Buffer.of(1) });

/** A bus that is away until told otherwise. */
function cuttable() {
  const bus = {
    away: true,
    tries: 0,
    publish: async ({ id }: OutgoingMessage) => {
      bus.tries += 1;
      if (bus.away) throw new Retry(`${id}: the blob store is away`);
    },
  };
  return bus;
}

test("an outage is told once, however many messages wait for it, and again when another one begins", async () => {
  const bus = cuttable();
  const told: string[] = [];
  const outage = new Outage(({ message: reason }) => told.push(reason));
  for (const round of [1, 2]) {
    bus.away = true;
    bus.tries = 0;
    const sending = ["a", "b", "c"].map((id) => publishPatiently(bus.publish, message(`${id}${round}`), quick, never, outage));
    while (bus.tries < 9) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.match(outage.reason?.message ?? "", /the blob store is away/);
    bus.away = false;
    await Promise.all(sending);
    assert.equal(outage.reason, undefined);
  }
  assert.deepEqual(told, ["a1: the blob store is away", "a2: the blob store is away"]);
});

test("only Retry is waited for, and an abort ends the wait with the signal's reason", async () => {
  const outage = new Outage(() => undefined);
  await assert.rejects(
    publishPatiently(() => Promise.reject(new Fatal("refused")), message("a"), quick, never, outage),
    Fatal,
  );
  const abort = new AbortController();
  const bus = cuttable();
  const waiting = publishPatiently(bus.publish, message("a"), { firstDelayMs: 10_000, maxDelayMs: 10_000 }, abort.signal, outage);
  setTimeout(() => abort.abort(new Error("enough")), 5);
  await assert.rejects(waiting, /^Error: enough$/);
  assert.equal(outage.reason, undefined);
});
