/** Behaviours of a bus: a message is held until it is settled, and comes again after a retry. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery } from "../../services/runtime/bus/bus.js";
import type { Behaviour } from "./behaviours.js";
import { ackAtOnce, type BusFixture, consume, lagOf, message, messages, newQueue, publishInOrder, SETTLE_MS } from "./bus-probe.js";

export const settlingBehaviours: readonly Behaviour<BusFixture>[] = [
  {
    title: "a message that is retried is delivered again, not before the delay",
    run: async ({ bus }) => {
      const queue = newQueue();
      const times: number[] = [];
      const probe = await consume(bus, queue, (delivery) => {
        times.push(performance.now());
        if (times.length === 1) delivery.retry(400).catch(assert.ifError);
        else ackAtOnce(delivery);
      });
      await bus.publish(message(queue, 0));
      await probe.received(2);
      const [first = 0, second = 0] = times;
      // Timers may fire a millisecond early by another clock.
      assert.ok(second - first >= 395, `delivered again after ${second - first} ms`);
      await lagOf(bus, queue, 0);
    },
  },
  {
    title: "a message that waits for its retry does not hold up the others",
    run: async ({ bus }) => {
      const queue = newQueue();
      const later = message(queue, 0);
      await publishInOrder(bus, [later, ...messages(queue, 20)]);
      const probe = await consume(
        bus,
        queue,
        (delivery) => {
          if (delivery.id === later.id) delivery.retry(600_000).catch(assert.ifError);
          else ackAtOnce(delivery);
        },
        { maxHeld: 1 },
      );
      await probe.received(21);
      await lagOf(bus, queue, 1);
      assert.equal(probe.ids().size, 21);
    },
  },
  {
    title: "deliveries are counted: the attempt goes up with every retry",
    run: async ({ bus }) => {
      const queue = newQueue();
      const probe = await consume(bus, queue, (delivery) => {
        if (delivery.attempt < 4) delivery.retry(0).catch(assert.ifError);
        else ackAtOnce(delivery);
      });
      await bus.publish(message(queue, 0));
      await probe.received(4);
      assert.deepEqual(
        probe.deliveries.map(({ attempt }) => attempt),
        [1, 2, 3, 4],
      );
    },
  },
  {
    title: "settling twice is harmless: the first settles, later calls do nothing",
    run: async ({ bus }) => {
      const queue = newQueue();
      const [acked, retried] = messages(queue, 2);
      assert.ok(acked && retried);
      const settleOften = async (delivery: Delivery) => {
        if (delivery.id === acked.id) await Promise.all([delivery.ack(), delivery.ack(), delivery.retry(0)]);
        else if (delivery.attempt === 1) await Promise.all([delivery.retry(0), delivery.ack(), delivery.retry(0)]);
        else await delivery.ack();
        await delivery.retry(0);
        await delivery.ack();
      };
      const probe = await consume(bus, queue, (delivery) => settleOften(delivery).catch(assert.ifError));
      await publishInOrder(bus, [acked, retried]);
      await probe.received(3);
      await lagOf(bus, queue, 0);
      await sleep(SETTLE_MS);
      const times = ({ id }: { id: string }) => probe.deliveries.filter((delivery) => delivery.id === id).length;
      assert.deepEqual([times(acked), times(retried)], [1, 2]);
    },
  },
  {
    title: "200 held messages can be acked late and in any order, as a group commit does",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const client = await another();
      const probe = await consume(client, queue);
      await Promise.all(messages(queue, 200).map((one) => bus.publish(one)));
      await probe.received(200);
      await sleep(SETTLE_MS);
      assert.equal(await bus.lag(queue), 200);
      const shuffled = probe.deliveries.map((delivery, index) => ({ delivery, at: (index * 7_919) % 200 })).sort((a, b) => a.at - b.at);
      await Promise.all(shuffled.map(({ delivery }) => delivery.ack()));
      await lagOf(bus, queue, 0);
      await client.close();
      const after = await consume(bus, queue);
      await sleep(SETTLE_MS);
      assert.equal(after.deliveries.length, 0);
      assert.equal(probe.deliveries.length, 200);
    },
  },
];
