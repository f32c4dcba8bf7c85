/** What the conformance suite can not ask of every bus: fairness, exact bounds, timers. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Bus, Delivery, OutgoingMessage } from "./bus.js";
import { createMemoryBus } from "./memory.js";

const ROOMY = { maxMessages: 1_000, maxBytes: 2 ** 20 };
const HOLD_ALL = { maxHeld: 1_000, maxHeldBytes: 2 ** 30, onFatal: assert.ifError };

function message(id: string, { key = "run", bytes = 1 } = {}): OutgoingMessage {
  return { queue: "work", key, id, headers: {}, body: new Uint8Array(bytes) };
}

/** Publishes, and tells what is in the queue as soon as it is. */
function publishAll(bus: Bus, messages: readonly OutgoingMessage[]): string[] {
  const admitted: string[] = [];
  // What still waits when the bus is closed is rejected.
  for (const one of messages)
    bus.publish(one).then(
      () => admitted.push(one.id),
      () => {},
    );
  return admitted;
}

async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await turn();
}

async function collect(bus: Bus, maxHeld = 1_000): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  await bus.consume("work", { ...HOLD_ALL, maxHeld }, (delivery) => deliveries.push(delivery));
  return deliveries;
}

test("a run of 10 assets that starts while a large one runs is done after 20 more deliveries", async () => {
  const bus = createMemoryBus(ROOMY);
  for (let index = 0; index < 500; index++) await bus.publish(message(`large ${index}`, { key: "large" }));
  const order: string[] = [];
  await bus.consume("work", { ...HOLD_ALL, maxHeld: 1 }, (delivery) => {
    order.push(delivery.key);
    setImmediate(() => delivery.ack());
  });
  await turns(10);
  const before = order.length;
  await Promise.all(Array.from({ length: 10 }, (_, index) => bus.publish(message(`small ${index}`, { key: "small" }))));
  while (order.filter((key) => key === "small").length < 10) await turn();
  assert.ok(order.length - before <= 21, `${order.length - before} deliveries`);
  await bus.close();
});

test("publishers wait above maxMessages, and enter in their order", async () => {
  const bus = createMemoryBus({ maxMessages: 2, maxBytes: 1_000 });
  const admitted = publishAll(
    bus,
    ["1", "2", "3", "4"].map((id) => message(id)),
  );
  await turns(3);
  assert.deepEqual(admitted, ["1", "2"]);
  assert.equal(await bus.lag("work"), 2);
  const deliveries = await collect(bus, 1);
  await turns(3);
  assert.deepEqual(admitted, ["1", "2", "3"]);
  await deliveries[0]?.ack();
  await turns(3);
  assert.deepEqual(admitted, ["1", "2", "3", "4"]);
  await bus.close();
});

test("publishers wait above maxBytes; a small message does not overtake a waiting large one", async () => {
  const bus = createMemoryBus({ maxMessages: 100, maxBytes: 1_000 });
  const admitted = publishAll(bus, [message("first", { bytes: 600 }), message("large", { bytes: 500 }), message("small")]);
  await turns(3);
  assert.deepEqual(admitted, ["first"]);
  await collect(bus);
  await turns(3);
  assert.deepEqual(admitted, ["first", "large", "small"]);
  await bus.close();
});

test("a message over maxBytes is admitted when nothing else waits", async () => {
  const bus = createMemoryBus({ maxMessages: 100, maxBytes: 1_000 });
  const admitted = publishAll(bus, [message("first"), message("huge", { bytes: 5_000 }), message("last")]);
  await turns(3);
  assert.deepEqual(admitted, ["first"]);
  const deliveries = await collect(bus, 1);
  await turns(3);
  assert.deepEqual(admitted, ["first", "huge"]);
  for (const expected of ["first", "huge", "last"]) {
    const last = deliveries.at(-1);
    assert.equal(last?.id, expected);
    await last?.ack();
    await turns(3);
  }
  await bus.close();
});

test("one that gives up waiting makes way for those behind it", async () => {
  const bus = createMemoryBus({ maxMessages: 100, maxBytes: 1_000 });
  await bus.publish(message("first", { bytes: 600 }));
  const abort = new AbortController();
  const large = bus.publish(message("large", { bytes: 900 }), abort.signal);
  const admitted = publishAll(bus, [message("small")]);
  await turns(2);
  assert.deepEqual(admitted, []);
  abort.abort(new Error("no longer wanted"));
  await assert.rejects(large, /no longer wanted/);
  await turns(2);
  assert.deepEqual(admitted, ["small"]);
  await bus.close();
});

test("what is handed back goes past the bound; publishers wait until it is gone", async () => {
  const bus = createMemoryBus({ maxMessages: 2, maxBytes: 1_000 });
  const deliveries = await collect(bus, 4);
  const admitted = publishAll(
    bus,
    ["1", "2", "3", "4", "5", "6", "7"].map((id) => message(id)),
  );
  await turns(5);
  assert.deepEqual(admitted, ["1", "2", "3", "4", "5", "6"]);
  // Two wait, and four more come back for later: the consumer is given the two, and nobody may publish.
  for (const delivery of deliveries.slice(0, 4)) await delivery.retry(600_000);
  await turns(5);
  assert.deepEqual(
    deliveries.map(({ id }) => id),
    ["1", "2", "3", "4", "5", "6"],
  );
  assert.equal(admitted.length, 6);
  assert.equal(await bus.lag("work"), 6);
  await bus.close();
});

test("what is released is the next of its key, in its old order", async () => {
  const bus = createMemoryBus(ROOMY);
  await Promise.all(["1", "2", "3", "4", "5"].map((id) => bus.publish(message(id))));
  const first: Delivery[] = [];
  const consumption = await bus.consume("work", { ...HOLD_ALL, maxHeld: 3 }, (delivery) => first.push(delivery));
  await turns(2);
  await first[1]?.ack();
  await turns(2);
  await consumption.release();
  const second = await collect(bus);
  await turns(2);
  assert.deepEqual(
    second.map(({ id, attempt }) => `${id} ${attempt}`),
    ["1 2", "3 2", "4 2", "5 1"],
  );
  await bus.close();
});

test("consumers of one queue take turns", async () => {
  const bus = createMemoryBus(ROOMY);
  const consumers = [await collect(bus), await collect(bus), await collect(bus)];
  await Promise.all(Array.from({ length: 30 }, (_, index) => bus.publish(message(`${index}`))));
  await turns(2);
  assert.deepEqual(
    consumers.map((deliveries) => deliveries.length),
    [10, 10, 10],
  );
  await bus.close();
});

test("10,000 messages that are acked as they come leave the event loop its turns", async () => {
  const bus = createMemoryBus({ maxMessages: 20_000, maxBytes: 2 ** 20 });
  for (let index = 0; index < 10_000; index++) await bus.publish(message(`${index}`));
  let acked = 0;
  await bus.consume("work", HOLD_ALL, (delivery) => delivery.ack().then(() => acked++));
  let otherTurns = 0;
  while (acked < 10_000) {
    await turn();
    otherTurns++;
  }
  assert.ok(otherTurns >= 30, `${otherTurns} turns`);
  await bus.close();
});

/** Runs a program with a memory bus; returns its exit code and output. */
async function run(program: string): Promise<{ code: number | null; output: string }> {
  const module = new URL("./memory.js", import.meta.url).href;
  const source = `
    import { createMemoryBus } from ${JSON.stringify(module)};
    const bus = createMemoryBus({ maxMessages: 10, maxBytes: 1000 });
    const message = { queue: "work", key: "run", id: "1", headers: {}, body: new Uint8Array(1) };
    const bounds = { maxHeld: 1, maxHeldBytes: 1000, onFatal: () => {} };
    ${program}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "inherit"], timeout: 20_000 });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

test("a process waits for a retry that somebody consumes", async () => {
  const { code, output } = await run(`
    const consumption = await bus.consume("work", bounds, async (delivery) => {
      if (delivery.attempt === 1) return delivery.retry(300);
      console.log("again");
      await delivery.ack();
      await bus.close();
    });
    await bus.publish(message);`);
  assert.deepEqual({ code, output }, { code: 0, output: "again\n" });
});

test("a process does not wait for a retry that nobody consumes, nor for a consumer without messages", async () => {
  const { code, output } = await run(`
    await bus.consume("other", bounds, () => {});
    const consumption = await bus.consume("work", bounds, async (delivery) => {
      await delivery.retry(600_000);
      await consumption.stop();
      console.log("stopped");
    });
    await bus.publish(message);`);
  assert.deepEqual({ code, output }, { code: 0, output: "stopped\n" });
});
