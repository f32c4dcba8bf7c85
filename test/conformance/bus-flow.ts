/** Behaviours of a bus: what is held, and what waits, is bounded. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bus, Delivery } from "../../services/runtime/bus/bus.js";
import type { Behaviour } from "./behaviours.js";
import {
  ackAtOnce,
  type BusFixture,
  consume,
  lagOf,
  message,
  messages,
  newQueue,
  OVERFULL,
  publishInOrder,
  SETTLE_MS,
} from "./bus-probe.js";
import { eventually } from "./eventually.js";

/** Publishes at once. */
const WINDOW = 64;

export const flowBehaviours: readonly Behaviour<BusFixture>[] = [
  {
    title: "at most maxHeld messages are unsettled at once, and that many are",
    run: async ({ bus }) => {
      const queue = newQueue();
      const held = new Set<Delivery>();
      let most = 0;
      const probe = await consume(
        bus,
        queue,
        (delivery) => {
          held.add(delivery);
          most = Math.max(most, held.size);
        },
        { maxHeld: 5 },
      );
      await Promise.all(messages(queue, 60).map((one) => bus.publish(one)));
      await probe.received(5);
      await sleep(SETTLE_MS);
      assert.equal(probe.deliveries.length, 5);
      await settleAll(held, () => probe.deliveries.length === 60);
      assert.equal(most, 5);
    },
  },
  {
    title: "at most maxHeldBytes are unsettled at once, but always one message",
    run: async ({ bus }) => {
      const queue = newQueue();
      const [limit, large] = [35_000, 100_000];
      const held = new Set<Delivery>();
      let tooMany: string | undefined;
      const probe = await consume(
        bus,
        queue,
        (delivery) => {
          held.add(delivery);
          const bytes = [...held].reduce((sum, { body }) => sum + body.byteLength, 0);
          if (bytes > limit && held.size > 1) tooMany = `${held.size} messages with ${bytes} bytes`;
        },
        { maxHeldBytes: limit },
      );
      const sent = messages(queue, 40, (index) => ({ body: Buffer.alloc(index % 10 === 5 ? large : 10_000, index) }));
      await Promise.all(sent.map((one) => bus.publish(one)));
      await settleAll(held, () => probe.deliveries.length === 40);
      assert.equal(tooMany, undefined);
      assert.equal(probe.ids().size, 40);
    },
  },
  {
    title: "the lag counts messages that wait and messages that are held, and nothing that is settled",
    run: async ({ bus }) => {
      const queue = newQueue();
      assert.equal(await bus.lag(queue), 0);
      await publishInOrder(bus, messages(queue, 10));
      await lagOf(bus, queue, 10);
      const probe = await consume(bus, queue, () => {}, { maxHeld: 4 });
      await probe.received(4);
      await lagOf(bus, queue, 10);
      await Promise.all(probe.deliveries.slice(0, 3).map((delivery) => delivery.ack()));
      await lagOf(bus, queue, 7);
    },
  },
  {
    title: "deliver is never called from within publish, ack or retry",
    run: async ({ bus }) => {
      const queue = newQueue();
      let inside = false;
      let reentered = false;
      const guarded = <T>(work: () => Promise<T>) => {
        inside = true;
        const result = work();
        inside = false;
        return result;
      };
      const probe = await consume(
        bus,
        queue,
        (delivery) => {
          reentered ||= inside;
          guarded(() => (delivery.attempt === 1 ? delivery.retry(0) : delivery.ack())).catch(assert.ifError);
        },
        { maxHeld: 2 },
      );
      await Promise.all(messages(queue, 50).map((one) => guarded(() => bus.publish(one))));
      await probe.received(100);
      assert.equal(reentered, false);
    },
  },
  {
    title: "a full queue is waited for: a slow consumer slows the producer, and nothing is lost",
    run: async ({ bus }) => {
      const queue = newQueue();
      const filling = fill(bus, queue);
      await untilFull(filling.published);
      assert.ok(filling.published() < OVERFULL, "the queue is never full");
      const probe = await consume(bus, queue, ackAtOnce, { maxHeld: 50 });
      await filling.done;
      await eventually("all messages", () => probe.ids().size === OVERFULL, 30_000);
      await lagOf(bus, queue, 0);
    },
  },
  {
    title: "waiting for a full queue can be aborted, with the signal's reason",
    run: async ({ bus }) => {
      const queue = newQueue();
      const reason = new Error("the run has ended");
      const stopFilling = new AbortController();
      const filling = fill(bus, queue, stopFilling.signal);
      await untilFull(filling.published);
      const abort = new AbortController();
      const waiting = bus.publish(message(queue, 0), abort.signal);
      await sleep(SETTLE_MS);
      abort.abort(reason);
      await assert.rejects(waiting, reason);
      stopFilling.abort(reason);
      await assert.rejects(filling.done, reason);
      await assert.rejects(bus.publish(message(queue, 0), AbortSignal.abort(reason)), reason);
      // The room of those that gave up is not lost either.
      const probe = await consume(bus, queue, ackAtOnce);
      await eventually("what was published", () => probe.ids().size >= filling.published(), 30_000);
      await lagOf(bus, queue, 0);
      await bus.publish(message(queue, 0));
    },
  },
  {
    title: "a full queue takes what is handed back: redelivery never blocks and loses nothing",
    run: async ({ bus }) => {
      const queue = newQueue();
      let retried = 0;
      const probe = await consume(
        bus,
        queue,
        (delivery) => {
          if (delivery.attempt > 1) return ackAtOnce(delivery);
          retried++;
          delivery.retry(retried % 3 === 0 ? 50 : 0).catch(assert.ifError);
        },
        { maxHeld: 100 },
      );
      const sent = messages(queue, OVERFULL, (index) => ({ key: `run${index % 5}` }));
      await Promise.all(sent.map((one) => bus.publish(one)));
      await lagOf(bus, queue, 0);
      assert.equal(probe.ids().size, OVERFULL);
    },
  },
];

/** Acks what is held, a few at a time, until done. */
async function settleAll(held: Set<Delivery>, done: () => boolean): Promise<void> {
  await eventually("everything settled", async () => {
    for (const delivery of [...held].slice(0, 2)) {
      held.delete(delivery);
      await delivery.ack();
    }
    return done() && held.size === 0;
  });
}

/** Publishes more than the queue takes, until it has taken all, or the signal is aborted: then `done` rejects. */
function fill(bus: Bus, queue: string, signal?: AbortSignal): { readonly published: () => number; readonly done: Promise<void> } {
  if (signal) setMaxListeners(WINDOW, signal);
  const outgoing = messages(queue, OVERFULL);
  let published = 0;
  const publishNext = async () => {
    for (let next = outgoing.shift(); next; next = outgoing.shift()) {
      await bus.publish(next, signal);
      published++;
    }
  };
  const done = Promise.all(Array.from({ length: WINDOW }, publishNext)).then(() => undefined);
  // Whoever waits for it sees the failure; a behaviour that failed before does not wait any more.
  done.catch(() => {});
  return { published: () => published, done };
}

/** Waits until as much as always fits was published, and then no more for a while. */
async function untilFull(published: () => number): Promise<void> {
  await eventually("256 messages published without a consumer", () => published() >= 256, 30_000);
  for (let before = -1; before !== published(); ) {
    before = published();
    await sleep(2 * SETTLE_MS);
  }
}
