/** Behaviours of a bus: every message arrives, once while nothing fails, as it was published. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery } from "../../services/runtime/bus/bus.js";
import { Fatal } from "../../services/runtime/errors.js";
import type { Behaviour } from "./behaviours.js";
import { ackAtOnce, type BusFixture, consume, lagOf, message, messages, newQueue, publishInOrder, SETTLE_MS } from "./bus-probe.js";
import { eventually } from "./eventually.js";

export const deliveryBehaviours: readonly Behaviour<BusFixture>[] = [
  {
    title: "a queue published to before anyone consumes is kept",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const sent = messages(queue, 20);
      await publishInOrder(bus, sent);
      const probe = await consume(await another(), queue, ackAtOnce);
      await probe.received(20);
      assert.deepEqual(probe.ids(), new Set(sent.map(({ id }) => id)));
    },
  },
  {
    title: "publish resolves only when the message is there: it outlives its publisher",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const publisher = await another();
      const sent = message(queue, 0);
      await publisher.publish(sent);
      await publisher.close();
      assert.equal(await bus.lag(queue), 1);
      const probe = await consume(bus, queue, ackAtOnce);
      await probe.received(1);
      assert.equal(probe.deliveries[0]?.id, sent.id);
    },
  },
  {
    title: "id, key, queue, headers and body arrive as they were published",
    run: async ({ bus }) => {
      const queue = newQueue();
      const sent = message(queue, 0, {
        key: "01J9ZK3V8Q",
        headers: {
          traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          "x-empty": "",
          "x-odd": "a=b; c, d:e \"f\" 'g'",
        },
        body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      });
      await bus.publish(sent);
      const probe = await consume(bus, queue, ackAtOnce);
      await probe.received(1);
      assert.ok(probe.deliveries[0]);
      const { queue: arrivedQueue, id, key, headers, body, attempt } = probe.deliveries[0];
      const { body: sentBody, ...sentRest } = sent;
      assert.deepEqual({ queue: arrivedQueue, key, id, headers: { ...headers } }, sentRest);
      assert.ok(Buffer.from(body).equals(sentBody));
      assert.equal(attempt, 1);
    },
  },
  {
    title: "a large payload of 200 KB and an empty one arrive intact",
    run: async ({ bus }) => {
      const queue = newQueue();
      const sent = [message(queue, 0, { body: randomBytes(200_000) }), message(queue, 1, { body: new Uint8Array(0) })];
      await publishInOrder(bus, sent);
      const probe = await consume(bus, queue, ackAtOnce);
      await probe.received(2);
      for (const { id, body } of sent) {
        const arrived = probe.deliveries.find((delivery) => delivery.id === id);
        assert.ok(arrived && Buffer.from(arrived.body).equals(body));
      }
    },
  },
  {
    title: "consumers of one queue do not see another queue's messages",
    run: async ({ bus }) => {
      const [queue, prefix] = [newQueue(), newQueue()];
      const other = `${prefix}.more`;
      await publishInOrder(bus, [...messages(queue, 5), ...messages(other, 5), ...messages(prefix, 5)]);
      const probes = await Promise.all([queue, other, prefix].map((name) => consume(bus, name, ackAtOnce)));
      await Promise.all(probes.map((probe) => probe.received(5)));
      await sleep(SETTLE_MS);
      for (const [index, name] of [queue, other, prefix].entries()) {
        assert.deepEqual(
          probes[index]?.deliveries.map((delivery) => delivery.queue),
          new Array(5).fill(name),
        );
      }
    },
  },
  {
    title: "a name that is no queue is refused for good",
    run: async ({ bus }) => {
      for (const queue of ["", "out.", "a b", "a.*", "a.>", "a/b", "ä"]) {
        await assert.rejects(bus.publish(message(queue, 0)), Fatal);
        await assert.rejects(consume(bus, queue), Fatal);
      }
    },
  },
  {
    title: "messages of one key arrive in publish order as long as nothing is redelivered",
    run: async ({ bus }) => {
      const queue = newQueue();
      const sent = messages(queue, 300, (index) => ({ key: `run${index % 3}`, body: Buffer.alloc((index % 7) * 500) }));
      const probe = await consume(bus, queue, ackAtOnce, { maxHeld: 10 });
      await publishInOrder(bus, sent);
      await probe.received(300);
      for (const key of ["run0", "run1", "run2"]) {
        const ofKey = ({ key: its }: { key: string }) => its === key;
        assert.deepEqual(
          probe.deliveries.filter(ofKey).map(({ id }) => id),
          sent.filter(ofKey).map(({ id }) => id),
        );
      }
    },
  },
  {
    title: "many keys: every message of 300 runs arrives",
    run: async ({ bus }) => {
      const queue = newQueue();
      const sent = messages(queue, 900, (index) => ({ key: `run${index % 300}` }));
      const probe = await consume(bus, queue, ackAtOnce, { maxHeld: 20 });
      await Promise.all(sent.map((one) => bus.publish(one)));
      await eventually("all 900", () => probe.ids().size === 900);
      await lagOf(bus, queue, 0);
    },
  },
  {
    title: "2,000 messages and 3 consumers: nothing is lost, each message is settled once, by one of them",
    run: async ({ bus, another }) => {
      const queue = newQueue();
      const clients = [bus, await another(), await another()];
      const acked: string[] = [];
      const ackLater = (delivery: Delivery) => {
        setImmediate(() => delivery.ack().then(() => acked.push(delivery.id), assert.ifError));
      };
      const probes = await Promise.all(clients.map((client) => consume(client, queue, ackLater, { maxHeld: 16 })));
      const sent = messages(queue, 2_000, (index) => ({ key: `run${index % 50}` }));
      for (let from = 0; from < sent.length; from += 100) await Promise.all(sent.slice(from, from + 100).map((one) => bus.publish(one)));
      await eventually("2,000 acks", () => acked.length >= 2_000, 30_000);
      await lagOf(bus, queue, 0);
      await sleep(SETTLE_MS);
      assert.equal(acked.length, 2_000);
      assert.deepEqual(new Set(acked), new Set(sent.map(({ id }) => id)));
      for (const probe of probes) assert.ok(probe.deliveries.length > 0, "one consumer got nothing");
    },
  },
];
