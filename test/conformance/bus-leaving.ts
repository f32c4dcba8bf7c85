/** Behaviours of a bus: consumers stop, clients go away and brokers restart, and nothing is lost. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bus, Delivery } from "../../services/runtime/bus/bus.js";
import { Retry } from "../../services/runtime/errors.js";
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

export const leavingBehaviours: readonly Behaviour<BusFixture>[] = [
  {
    title: "after stop nothing more is delivered, and what is held can still be settled",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const probe = await consume(bus, queue, () => {}, { maxHeld: 5 });
      await publishInOrder(bus, messages(queue, 10));
      await probe.received(5);
      await probe.consumption.stop();
      await Promise.all(probe.deliveries.map((delivery) => delivery.ack()));
      await lagOf(bus, queue, 5);
      await sleep(SETTLE_MS);
      assert.equal(probe.deliveries.length, 5);
      const other = await consume(await another(), queue, ackAtOnce);
      await other.received(5);
      await lagOf(bus, queue, 0);
      assert.equal(other.deliveries.length, 5);
      for (const id of other.ids()) assert.ok(!probe.ids().has(id));
    },
  },
  {
    title: "release hands back at once what is unsettled; settling it afterwards does nothing",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const probe = await consume(bus, queue);
      await publishInOrder(bus, messages(queue, 10));
      await probe.received(10);
      await Promise.all(probe.deliveries.slice(0, 4).map((delivery) => delivery.ack()));
      const other = await consume(await another(), queue);
      await probe.consumption.release();
      await other.received(6, 5_000);
      await Promise.all(probe.deliveries.map((delivery) => delivery.ack().catch(() => {})));
      await sleep(SETTLE_MS);
      await lagOf(bus, queue, 6);
      assert.deepEqual(other.ids(), new Set(probe.deliveries.slice(4).map(({ id }) => id)));
      await probe.consumption.release();
    },
  },
  {
    title: "what a consumer held when its client went away is delivered to another one",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const dying = await another();
      const held = await consume(dying, queue);
      await publishInOrder(bus, messages(queue, 10));
      await held.received(10);
      await dying.close();
      const probe = await consume(bus, queue, ackAtOnce);
      await eventually("the 10 held messages", () => probe.ids().size === 10, 30_000);
      await lagOf(bus, queue, 0);
    },
  },
  {
    title: "deliveries are counted: the attempt goes up when a message is released, and when its client goes away",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      await bus.publish(message(queue, 0));
      const first = await consume(bus, queue);
      await first.received(1);
      await first.consumption.release();
      const dying = await another();
      const second = await consume(dying, queue);
      await second.received(1, 30_000);
      await dying.close();
      const third = await consume(bus, queue, ackAtOnce);
      await third.received(1, 30_000);
      assert.deepEqual(
        [first, second, third].map(({ deliveries }) => deliveries[0]?.attempt),
        [1, 2, 3],
      );
    },
  },
  {
    title: "a client that closes while messages flow loses nothing: the other one gets what it had not settled",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const leaving = await another();
      const acked = new Set<string>();
      const ackSlowly = (delivery: Delivery) => {
        setTimeout(
          () =>
            delivery.ack().then(
              () => acked.add(delivery.id),
              () => {},
            ),
          2,
        );
      };
      const first = await consume(leaving, queue, ackSlowly, { maxHeld: 20 });
      const second = await consume(bus, queue, ackSlowly, { maxHeld: 20 });
      const sent = messages(queue, 600);
      const published = publishInOrder(bus, sent);
      await first.received(30);
      await leaving.close();
      const seen = first.deliveries.length;
      await published;
      await lagOf(bus, queue, 0);
      assert.equal(first.deliveries.length, seen);
      const settled = new Set([...acked, ...second.ids()]);
      assert.deepEqual(settled, new Set(sent.map(({ id }) => id)));
    },
  },
  {
    title: "close rejects pending publishes with Retry, is idempotent, and ends readiness",
    run: async ({ another }) => {
      const client = await another();
      assert.equal(client.ready(), true);
      const queue = newQueue();
      const outcomes = messages(queue, OVERFULL).map((one) =>
        client.publish(one).then(
          () => "published",
          (error: unknown) => error,
        ),
      );
      await Promise.race([Promise.all(outcomes), sleep(SETTLE_MS)]);
      await Promise.all([client.close(), client.close()]);
      await client.close();
      for (const outcome of await Promise.all(outcomes)) assert.ok(outcome === "published" || outcome instanceof Retry);
      assert.equal(client.ready(), false);
      await assert.rejects(client.publish(message(queue, 0)), Retry);
      await assert.rejects(consume(client, queue), Retry);
      await assert.rejects(client.lag(queue), Retry);
    },
  },
  {
    title: "a restart of the broker is survived: nothing is lost, and deliveries go on",
    run: async ({ bus, another, restartBroker }) => {
      assert.ok(restartBroker, "the adapter's fixture can not restart its broker: give it restartBroker, or excuse it");
      const queue = newQueue();
      const probe = await consume(await another(), queue, ackAtOnce, { maxHeld: 20 });
      const sent = messages(queue, 400);
      const publishing = (async () => {
        for (const one of sent) await publishThroughOutage(bus, one);
      })();
      await probe.received(50);
      await restartBroker();
      await publishing;
      await eventually("all 400", () => probe.ids().size === 400, 40_000);
      await eventually("a lag of 0", async () => (await bus.lag(queue).catch(() => -1)) === 0, 40_000);
      await eventually("readiness", () => bus.ready());
      assert.deepEqual(probe.fatal, []);
    },
  },
];

async function publishThroughOutage(bus: Bus, outgoing: Parameters<Bus["publish"]>[0]): Promise<void> {
  for (;;) {
    try {
      return await bus.publish(outgoing);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      await sleep(20);
    }
  }
}
