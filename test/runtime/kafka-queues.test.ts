/** The Kafka adapter and what it keeps in the brokers: topics, offsets, what is deleted, and who has a message when members come and go. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery } from "../../services/runtime/bus/bus.js";
import { Fatal } from "../../services/runtime/errors.js";
import { findKafka, type KafkaBroker, startKafka } from "../brokers/kafka.js";
import { ackAtOnce, consume, message, messages } from "../conformance/bus-probe.js";
import { eventually } from "../conformance/eventually.js";
import { startChild } from "../support/children.js";
import { type KafkaStage, onKafka } from "./kafka-clients.js";

const kafka = findKafka();
const WAIT_MS = 30_000;

describe("the Kafka adapter's queues", { skip: "skip" in kafka ? kafka.skip : false, concurrency: 3 }, () => {
  let broker: KafkaBroker;
  before(async () => {
    broker = await startKafka("jars" in kafka ? kafka.jars : "", {
      lines: ["group.min.session.timeout.ms=3000", "group.max.session.timeout.ms=20000"],
    });
  });
  after(() => broker?.close());
  const test = (title: string, run: (stage: KafkaStage) => Promise<void>) => it(title, { timeout: 60_000 }, () => onKafka(broker, run));

  test("are topics with the configured partitions and bounds", async ({ client, admin, prefix }) => {
    const bus = await client({ KAFKA_RETENTION: "2h", KAFKA_PARTITIONS: "3" });
    await bus.publish(message("out.packager-0", 0));
    const look = await admin();
    for (const topic of [`${prefix}.filter`, `${prefix}.out.packager-0`]) {
      assert.equal((await look.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length, 3);
      const { resources } = await look.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic }] });
      const value = (name: string) => resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
      assert.deepEqual([value("retention.ms"), value("cleanup.policy")], ["7200000", "delete"]);
    }
  });

  test("take a changed setting at the next start, say so, and leave what others have set", async ({ client, admin, prefix, lines }) => {
    await client({ KAFKA_RETENTION: "2h", KAFKA_PARTITIONS: "2" });
    const look = await admin();
    const topic = { type: 2, name: `${prefix}.filter` };
    const settings = async () => {
      const { resources } = await look.describeConfigs({ includeSynonyms: false, resources: [topic] });
      return new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
    };
    const others = { name: "message.timestamp.type", value: "LogAppendTime" };
    await look.alterConfigs({
      validateOnly: false,
      resources: [{ ...topic, configEntries: [others, { name: "retention.ms", value: "7200000" }] }],
    });

    await client({ KAFKA_RETENTION: "3h", KAFKA_PARTITIONS: "5", KAFKA_REPLICATION: "2" });
    assert.equal((await look.fetchTopicMetadata({ topics: [topic.name] })).topics[0]?.partitions.length, 5);
    assert.equal((await settings()).get("retention.ms"), "10800000");
    assert.equal((await settings()).get(others.name), others.value);
    assert.match(lines.join("\n"), /retention\.ms is 7200000 instead of 10800000/);
    assert.match(lines.join("\n"), /added partitions to a Kafka topic/);
    assert.match(lines.join("\n"), /another number of copies than KAFKA_REPLICATION/);
  });

  test("that can not be made say what to set", async ({ reasonToWait }) => {
    const reason = await reasonToWait({ KAFKA_REPLICATION: "3" });
    assert.match(
      reason,
      /topic .*\.filter can not be created: Kafka says ".*replication.*"\. KAFKA_REPLICATION is 3, no more than there are brokers/i,
    );
  });

  test("refuse for good a message over every limit, and take the others that come with it", async ({ client }) => {
    const bus = await client();
    const [small, large] = [message("filter", 0), message("filter", 1, { body: Buffer.alloc(2 * 2 ** 20) })];
    const [taken, refused] = await Promise.allSettled([bus.publish(small), bus.publish(large)]);
    assert.equal(taken.status, "fulfilled");
    assert.ok(refused.status === "rejected" && refused.reason instanceof Fatal);
    assert.match(refused.reason.message, /a message of 2097\d+ bytes is over what Kafka takes/);
  });

  test("whose consumer the brokers refuse are a fatal error that names the setting", async ({ client }) => {
    const probe = await consume(await client({ KAFKA_SESSION_TIMEOUT: "25s" }), "filter");
    await eventually("the failure", () => probe.fatal.length > 0, WAIT_MS);
    assert.ok(probe.fatal[0] instanceof Fatal);
    assert.match(probe.fatal[0].message, /refuses a member of the group .*\.filter; KAFKA_SESSION_TIMEOUT is 25000 ms/);
    assert.equal(probe.fatal.length, 1);
  });

  test("delete what has been consumed, and keep what has not", async ({ client, admin, prefix }) => {
    const bus = await client({ KAFKA_PARTITIONS: "1" }, { deleteEveryMs: 100 });
    const sent = messages("filter", 40);
    for (const one of sent) await bus.publish(one);
    const last = sent.at(-1)?.id;
    await consume(bus, "filter", (delivery) => {
      if (delivery.id !== last) ackAtOnce(delivery);
    });
    const look = await admin();
    await eventually("39 records deleted", async () => (await look.fetchTopicOffsets(`${prefix}.filter`))[0]?.low === "39", WAIT_MS);
    assert.equal(await bus.lag("filter"), 1);
  });

  test("that are deleted under their consumers are made anew, and messages come again", async ({ client, admin, prefix, lines }) => {
    const bus = await client();
    const probe = await consume(bus, "filter", ackAtOnce);
    await bus.publish(message("filter", 0));
    await probe.received(1, WAIT_MS);
    await (await admin()).deleteTopics({ topics: [`${prefix}.filter`] });
    // What is published while it is being deleted may be lost with it.
    await eventually(
      "messages again",
      async () => {
        await bus.publish(message("filter", 1)).catch(() => undefined);
        await sleep(50);
        return probe.deliveries.length > 1;
      },
      WAIT_MS,
    );
    assert.deepEqual(probe.fatal, []);
    assert.match(lines.join("\n"), /was deleted and is made anew/);
  });

  test("give nothing twice when a consumer comes and another goes while messages are worked on", async ({ client }) => {
    const [bus, other] = [await client(), await client()];
    const seen: string[] = [];
    const work = (delivery: Delivery) => {
      seen.push(delivery.id);
      setTimeout(() => delivery.ack().catch(assert.ifError), 150);
    };
    const sent = messages("filter", 120);
    await Promise.all(sent.map((one) => bus.publish(one)));
    const first = await consume(bus, "filter", work, { maxHeld: 4 });
    await first.received(8, WAIT_MS);
    const second = await consume(other, "filter", work, { maxHeld: 4 });
    await second.received(8, WAIT_MS);
    await first.consumption.stop();
    await eventually("all 120", () => new Set(seen).size === 120, WAIT_MS);
    assert.ok(first.deliveries.length < 120 && second.deliveries.length < 120);
    assert.equal(seen.length, 120);
  });

  test("let runs take turns: ten messages do not wait for a thousand that were there before them", async ({ client }) => {
    const bus = await client();
    await Promise.all(messages("filter", 800, () => ({ key: "large" })).map((one) => bus.publish(one)));
    await Promise.all(messages("filter", 10, () => ({ key: "small" })).map((one) => bus.publish(one)));
    const probe = await consume(bus, "filter", (delivery) => setImmediate(() => ackAtOnce(delivery)), { maxHeld: 4 });
    await probe.received(810, WAIT_MS);
    const lastSmall = probe.deliveries.findLastIndex(({ key }) => key === "small");
    assert.ok(lastSmall < 400, `the last of the small run was number ${lastSmall}`);
  });

  test("keep the count of deliveries when the process is killed by the message itself", async ({ client, prefix }) => {
    const bus = await client({ KAFKA_SESSION_TIMEOUT: "3s" });
    const poison = message("filter", 0);
    await bus.publish(poison);
    const lines: string[] = [];
    for (let life = 1; life <= 2; life++) {
      const child = startChild({
        name: "a consumer",
        script: new URL("./kafka-consumer.js", import.meta.url),
        args: [broker.address, prefix, "filter"],
        env: { PATH: process.env.PATH },
        onLine: (line) => lines.push(line),
      });
      try {
        await assert.rejects(Promise.race([child.ended, sleep(WAIT_MS, undefined, { ref: false })]), /SIGKILL/);
      } finally {
        await child.kill();
      }
    }
    const probe = await consume(bus, "filter", ackAtOnce);
    await probe.received(1, WAIT_MS);
    assert.deepEqual(lines, [`1 ${poison.id}`, `2 ${poison.id}`]);
    assert.deepEqual(
      probe.deliveries.map(({ id, attempt }) => `${attempt} ${id}`),
      [`3 ${poison.id}`],
    );
  });
});
