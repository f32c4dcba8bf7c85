/** The NATS adapter and what it keeps in the broker: streams, consumers, limits, and what somebody else does to them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Fatal, Retry } from "../../services/runtime/errors.js";
import { findNats } from "../brokers/nats.js";
import { ackAtOnce, consume, message, messages, publishInOrder } from "../conformance/bus-probe.js";
import { eventually } from "../conformance/eventually.js";
import { type NatsStage, onNats } from "./nats-clients.js";

const nats = findNats();
const program = "program" in nats ? nats.program : "";
const TIMEOUT_MS = 60_000;

describe("the NATS adapter's streams", { skip: "skip" in nats ? nats.skip : false, concurrency: 3 }, () => {
  const test = (title: string, run: (stage: NatsStage) => Promise<void>) => it(title, { timeout: TIMEOUT_MS }, () => onNats(program, run));

  test("are work queues on disk that refuse what does not fit, with consumers that deliver without limit", async ({ client, admin }) => {
    const bus = await client({ NATS_PREFIX: "install-1", NATS_RUN_MESSAGES: "100", NATS_ACK_WAIT: "20s" });
    await consume(bus, "out.packager-0");
    const manager = await admin();
    const stream = (await manager.streams.info("install-1-out")).config;
    assert.deepEqual(
      [stream.subjects, stream.retention, stream.storage, stream.discard, stream.discard_new_per_subject, stream.max_msgs_per_subject],
      [["install-1.out.>"], "workqueue", "file", "new", true, 100],
    );
    const consumer = (await manager.consumers.info("install-1-out", "out~packager-0")).config;
    assert.deepEqual(
      [consumer.filter_subject, consumer.ack_policy, consumer.max_deliver, consumer.ack_wait],
      ["install-1.out.packager-0.*", "explicit", -1, 20_000_000_000],
    );
    assert.equal((await manager.streams.info("install-1-filter")).state.messages, 0);
  });

  test("take a changed setting at the next start; a limit that would delete messages only while there are none", async (stage) => {
    const before = await stage.client({ NATS_RUN_MESSAGES: "100", NATS_ACK_WAIT: "20s" });
    await publishInOrder(before, messages("filter", 50));
    await (await consume(before, "filter")).consumption.release();
    const manager = await stage.admin();
    const limit = async () => (await manager.streams.info("maskline-filter")).config.max_msgs_per_subject;

    const after = await stage.client({ NATS_RUN_MESSAGES: "20", NATS_ACK_WAIT: "5s" });
    assert.equal(await limit(), 100);
    assert.match(stage.lines.join("\n"), /stays higher than configured/);
    const probe = await consume(after, "filter", ackAtOnce);
    assert.equal((await manager.consumers.info("maskline-filter", "filter")).config.ack_wait, 5_000_000_000);
    await eventually("all 50", () => probe.ids().size === 50);
    await eventually("an empty queue", async () => (await after.lag("filter")) === 0);

    await stage.client({ NATS_RUN_MESSAGES: "20" });
    assert.equal(await limit(), 20);
  });

  test("are refused when something else stands under their name, saying what it has, what is wanted and what to do", async (stage) => {
    const manager = await stage.admin();
    await manager.streams.add({ name: "maskline-filter", subjects: ["maskline.filter.>"] });
    await assert.rejects(stage.client(), (error: Error) => {
      assert.ok(error instanceof Fatal);
      assert.match(error.message, /NATS stream maskline-filter .*retention is "limits" instead of "workqueue".*Delete it.*NATS_PREFIX/);
      return true;
    });
    await manager.streams.add({
      name: "other-raster",
      subjects: ["other.raster.>"],
      retention: "workqueue",
      discard: "new",
      discard_new_per_subject: true,
      max_msgs_per_subject: 9,
    });
    await manager.consumers.add("other-raster", { durable_name: "raster", ack_policy: "explicit", filter_subject: "other.raster.>" });
    const bus = await stage.client({ NATS_PREFIX: "other" });
    await assert.rejects(consume(bus, "raster"), (error: Error) => {
      assert.ok(error instanceof Fatal);
      assert.match(
        error.message,
        /consumer raster of stream other-raster .*filter_subject is "other.raster.>" instead of "other.raster.\*"/,
      );
      return true;
    });
  });

  test("that the broker can not make are waited for, with the reason and the advice", async ({ client }) => {
    const abort = new AbortController();
    const reasons: string[] = [];
    const waiting = client({ NATS_REPLICAS: "3" }, { signal: abort.signal, onWaiting: (reason) => reasons.push(reason) });
    waiting.catch(() => undefined);
    await eventually("a reason", () => reasons.length > 0);
    abort.abort(new Error("told to stop"));
    await assert.rejects(waiting, /told to stop/);
    assert.match(reasons[0] ?? "", /maskline-filter can not be created.*NATS_REPLICAS is 3: it needs a cluster/);
  });

  test("let one run that is full wait, and no other", async ({ client }) => {
    const bus = await client({ NATS_RUN_MESSAGES: "16" });
    await publishInOrder(
      bus,
      messages("filter", 16, () => ({ key: "large" })),
    );
    let published = 0;
    const waiting = messages("filter", 10, () => ({ key: "large" })).map((one) => bus.publish(one).then(() => published++));
    await sleep(300);
    assert.equal(published, 0);
    await publishInOrder(
      bus,
      messages("filter", 16, () => ({ key: "small" })),
    );
    const probe = await consume(bus, "filter", ackAtOnce, { maxHeld: 4 });
    await Promise.all(waiting);
    await eventually("all 42", () => probe.ids().size === 42);
  });

  test("that are full in bytes make publishers wait, too", async ({ client, admin }) => {
    const bus = await client({ NATS_STREAM_BYTES: "1M" });
    let published = 0;
    const sending = messages("filter", 30, () => ({ body: Buffer.alloc(100_000) })).map((one) => bus.publish(one).then(() => published++));
    await eventually("a full stream", async () => published >= 9);
    await sleep(300);
    assert.ok(published <= 10, `${published} published`);
    assert.equal((await (await admin()).streams.info("maskline-filter")).state.messages, published);
    const probe = await consume(bus, "filter", ackAtOnce, { maxHeld: 2 });
    await Promise.all(sending);
    await eventually("all 30", () => probe.ids().size === 30);
  });

  test("that somebody purges are empty, and go on", async ({ client, admin }) => {
    const bus = await client();
    await publishInOrder(bus, messages("filter", 20));
    await (await admin()).streams.purge("maskline-filter");
    assert.equal(await bus.lag("filter"), 0);
    const probe = await consume(bus, "filter", ackAtOnce);
    await bus.publish(message("filter", 0));
    await probe.received(1);
  });

  test("that somebody deletes are made anew, and what was held of the old ones does not settle new messages", async (stage) => {
    const bus = await stage.client();
    const probe = await consume(bus, "filter");
    const other = await stage.client();
    await publishInOrder(other, messages("filter", 3));
    await probe.received(3);
    const manager = await stage.admin();
    await manager.streams.delete("maskline-filter");
    const anew = messages("filter", 5);
    await publishInOrder(other, anew);
    // Before 2.10 a server does not tell that a stream is gone; it is missed after some seconds.
    await probe.received(8, 30_000);
    // Their numbers in the old stream are those of the first three in the new one.
    await Promise.all(probe.deliveries.slice(0, 3).map((delivery) => delivery.ack()));
    assert.equal(await bus.lag("filter"), 5);
    await Promise.all(probe.deliveries.slice(3).map((delivery) => delivery.ack()));
    await eventually("an empty queue", async () => (await bus.lag("filter")) === 0);
    assert.deepEqual(probe.fatal, []);
    assert.ok(bus.ready());
    assert.match(stage.lines.join("\n"), /deleted and is made anew/);
  });

  test("survive the deletion of a consumer: it is made anew and delivers what was not settled", async ({ client, admin }) => {
    const bus = await client();
    const probe = await consume(bus, "filter");
    await publishInOrder(bus, messages("filter", 3));
    await probe.received(3);
    await (await admin()).consumers.delete("maskline-filter", "filter");
    await probe.received(6);
    await Promise.all(probe.deliveries.map((delivery) => delivery.ack()));
    await eventually("an empty queue", async () => (await bus.lag("filter")) === 0);
  });

  it("take no message over the server's max_payload: that is refused for good, with the limit", { timeout: TIMEOUT_MS }, () =>
    onNats(
      program,
      async ({ client }) => {
        const bus = await client();
        await assert.rejects(bus.publish(message("filter", 0, { body: Buffer.alloc(66_000) })), (error: Error) => {
          assert.ok(error instanceof Fatal);
          assert.match(error.message, /66000 bytes .*max_payload 65536/);
          return true;
        });
        await bus.publish(message("filter", 1, { body: Buffer.alloc(60_000) }));
      },
      "max_payload: 65536",
    ),
  );

  test("keep what is held by a living process, however long, and hand out what a silent one held", async ({ client }) => {
    const bus = await client({ NATS_ACK_WAIT: "1s" });
    const holding = await consume(bus, "filter", undefined, { maxHeld: 10 });
    await publishInOrder(bus, messages("filter", 10));
    await holding.received(10);
    const other = await consume(await client({ NATS_ACK_WAIT: "1s" }), "filter", ackAtOnce);
    await sleep(3_000);
    assert.equal(other.deliveries.length, 0);
    await Promise.all(holding.deliveries.map((delivery) => delivery.ack()));
    await eventually("an empty queue", async () => (await bus.lag("filter")) === 0);
    assert.equal(other.deliveries.length, 0);
  });

  test("are away when the server is: publishing is told at once, and what was held is acknowledged when it is back", async (stage) => {
    const bus = await stage.client();
    const probe = await consume(bus, "filter");
    await publishInOrder(bus, messages("filter", 5));
    await probe.received(5);
    await stage.server.stop();
    await eventually("the loss is noticed", () => !bus.ready());
    await assert.rejects(bus.publish(message("filter", 0)), Retry);
    await assert.rejects(bus.lag("filter"), Retry);
    const acked = Promise.all(probe.deliveries.map((delivery) => delivery.ack()));
    await stage.server.start();
    await acked;
    await eventually("readiness", () => bus.ready(), 20_000);
    await eventually("an empty queue", async () => (await bus.lag("filter")) === 0);
    assert.equal(probe.deliveries.length, 5);
  });
});
