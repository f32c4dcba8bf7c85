/** Beside the conformance suite, which runs over a claim check too: what travels where, and what happens when the store fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Blobs } from "../blob/blob.js";
import { Fatal, Retry } from "../errors.js";
import { createLogger } from "../log.js";
import type { Bus, Delivery, OutgoingMessage } from "./bus.js";
import { claimCheck } from "./claim-check.js";
import { createMemoryBroker } from "./memory.js";

const RUN = "01J9ZK3V8QH2N5T7W4X6Y8Z0AB";

interface Setup {
  readonly bus: Bus;
  /** The bus below, as the broker sees it. */
  readonly raw: Bus;
  readonly stored: Map<string, Uint8Array>;
  /** Set: the store answers with it. */
  failure: Error | undefined;
  /** Reads take so long. */
  reading: Promise<void>;
  readonly lines: string[];
}

function setUp(inlineBytes = 100): Setup {
  const broker = createMemoryBroker({ maxMessages: 100, maxBytes: 2 ** 20 });
  const stored = new Map<string, Uint8Array>();
  const lines: string[] = [];
  const blobs: Blobs = {
    put: async (key, body) => {
      if (setup.failure) throw setup.failure;
      stored.set(key, body);
    },
    get: async (key) => {
      await setup.reading;
      if (setup.failure) throw setup.failure;
      return stored.get(key);
    },
    deleteRun: async () => {},
    listRuns: async () => [],
  };
  const log = createLogger("debug", (line) => lines.push(line));
  const setup: Setup = {
    bus: claimCheck(broker.connect(), blobs, { inlineBytes, log }),
    raw: broker.connect(),
    stored,
    failure: undefined,
    reading: Promise.resolve(),
    lines,
  };
  return setup;
}

function message(bytes: number, id = `${RUN}/1.0/123/p0/m`): OutgoingMessage {
  return { queue: "work", key: RUN, id, headers: { traceparent: "00-1-2-01" }, body: Buffer.alloc(bytes, 7) };
}

async function collect(bus: Bus, onFatal: (error: Error) => void = assert.ifError) {
  const deliveries: Delivery[] = [];
  const options = { maxHeld: 100, maxHeldBytes: 2 ** 20, onFatal };
  const consumption = await bus.consume("work", options, (delivery) => deliveries.push(delivery));
  return { deliveries, consumption };
}

async function turns(count = 10): Promise<void> {
  for (let index = 0; index < count; index++) await turn();
}

test("a body over the limit goes to the store under the message's id, one at the limit travels in the message", async () => {
  const { bus, raw, stored } = setUp();
  await bus.publish(message(101));
  await bus.publish(message(100, `${RUN}/1.0/124`));
  assert.deepEqual([...stored.keys()], [`${RUN}/1.0/123/p0/m`]);
  const { deliveries } = await collect(raw);
  await turns();
  assert.deepEqual(
    deliveries.map(({ headers, body }) => ({ headers, bytes: body.byteLength })),
    [
      { headers: { traceparent: "00-1-2-01", blob: `${RUN}/1.0/123/p0/m`, "blob-bytes": "101" }, bytes: 0 },
      { headers: { traceparent: "00-1-2-01" }, bytes: 100 },
    ],
  );
  await Promise.all([bus.close(), raw.close()]);
});

test("the consumer sees the body and the publisher's headers only", async () => {
  const { bus } = setUp();
  await bus.publish(message(5_000));
  const { deliveries } = await collect(bus);
  await turns();
  assert.deepEqual(deliveries[0]?.headers, { traceparent: "00-1-2-01" });
  assert.ok(Buffer.alloc(5_000, 7).equals(deliveries[0]?.body ?? Buffer.alloc(0)));
  await deliveries[0]?.ack();
  assert.equal(await bus.lag("work"), 0);
  await bus.close();
});

test("a large message whose id can not name a blob, or that uses the claim check's headers, is refused for good", async () => {
  const { bus, stored } = setUp();
  for (const id of ["no-run", `${RUN}/../other/1`, `${RUN}//1`, `${RUN}/a b`]) await assert.rejects(bus.publish(message(101, id)), Fatal);
  await assert.rejects(bus.publish({ ...message(1), headers: { blob: "x" } }), Fatal);
  assert.equal(stored.size, 0);
  assert.equal(await bus.lag("work"), 0);
  await bus.close();
});

test("a store that fails fails the publish, and nothing is on the bus", async () => {
  const setup = setUp();
  setup.failure = new Retry("the store is away");
  await assert.rejects(setup.bus.publish(message(101)), setup.failure);
  assert.equal(await setup.bus.lag("work"), 0);
  await setup.bus.close();
});

test("a publish is aborted while its body is being stored", async () => {
  const never = new Promise<void>(() => {});
  const blobs: Blobs = { put: () => never, get: async () => undefined, deleteRun: async () => {}, listRuns: async () => [] };
  const raw = createMemoryBroker({ maxMessages: 1, maxBytes: 1 }).connect();
  const bus = claimCheck(raw, blobs, { inlineBytes: 0, log: createLogger("silent") });
  const abort = new AbortController();
  const publishing = bus.publish(message(10), abort.signal);
  abort.abort(new Error("the run has ended"));
  await assert.rejects(publishing, /the run has ended/);
  await bus.close();
});

for (const [what, damage] of [
  ["is gone", (stored: Map<string, Uint8Array>) => stored.clear()],
  ["was cut by a loss of power", (stored: Map<string, Uint8Array>) => stored.set(`${RUN}/1.0/123/p0/m`, new Uint8Array(50))],
] as const) {
  test(`a message whose body ${what} is acked with a warning, and the next one is delivered`, async () => {
    const { bus, stored, lines } = setUp();
    await bus.publish(message(101));
    damage(stored);
    await bus.publish(message(102, `${RUN}/1.0/124`));
    const { deliveries } = await collect(bus);
    await turns();
    assert.deepEqual(
      deliveries.map(({ id }) => id),
      [`${RUN}/1.0/124`],
    );
    assert.equal(await bus.lag("work"), 1);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /"level":"warn".*1\.0\/123/);
    await bus.close();
  });
}

test("headers that no claim check wrote do not stop the consumption", async () => {
  const { bus, raw, lines } = setUp();
  for (const [index, headers] of [
    { blob: "../../etc/passwd", "blob-bytes": "10" },
    { blob: `${RUN}/9`, "blob-bytes": "NaN" },
    { blob: `${RUN}/9` },
  ].entries()) {
    await raw.publish({ ...message(0, `${RUN}/forged/${index}`), headers: headers as Record<string, string> });
  }
  await bus.publish(message(200));
  const { deliveries } = await collect(bus);
  await turns();
  assert.deepEqual(
    deliveries.map(({ id }) => id),
    [`${RUN}/1.0/123/p0/m`],
  );
  assert.equal(lines.length, 3);
  await Promise.all([bus.close(), raw.close()]);
});

test("while the store is away a message is retried, later and later; then it is delivered", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const setup = setUp();
  await setup.bus.publish(message(101));
  setup.failure = new Retry("the store is away");
  const { deliveries } = await collect(setup.bus);
  await turns();
  t.mock.timers.tick(500);
  await turns();
  assert.equal(setup.lines.length, 2);
  setup.failure = undefined;
  t.mock.timers.tick(999);
  await turns();
  assert.equal(deliveries.length, 0);
  t.mock.timers.tick(1);
  await turns();
  assert.equal(deliveries[0]?.attempt, 3);
  await setup.bus.close();
});

test("a store that refuses for good is told once, and loses no message", async () => {
  const setup = setUp();
  await setup.bus.publish(message(101));
  await setup.bus.publish(message(101, `${RUN}/1.0/124`));
  setup.failure = new Fatal("access was withdrawn");
  const fatal: Error[] = [];
  const { deliveries } = await collect(setup.bus, (error) => fatal.push(error));
  await turns();
  assert.deepEqual(fatal, [setup.failure]);
  assert.equal(deliveries.length, 0);
  assert.equal(await setup.bus.lag("work"), 2);
  await setup.bus.close();
});

test("stop hands back what waits for room", async () => {
  const { bus, raw } = setUp();
  for (const index of [0, 1, 2]) await bus.publish(message(600, `${RUN}/1.0/${index}`));
  const held: Delivery[] = [];
  const options = { maxHeld: 100, maxHeldBytes: 1_000, onFatal: assert.ifError };
  const consumption = await bus.consume("work", options, (delivery) => held.push(delivery));
  await turns();
  assert.equal(held.length, 1);
  await consumption.stop();
  const other = await collect(raw);
  await turns();
  assert.deepEqual(
    other.deliveries.map(({ id }) => id),
    [`${RUN}/1.0/1`, `${RUN}/1.0/2`],
  );
  await held[0]?.ack();
  assert.equal(await raw.lag("work"), 2);
  await Promise.all([bus.close(), raw.close()]);
});

test("a body that is still being read at stop is not delivered any more: its message is handed back", async () => {
  const setup = setUp();
  await setup.bus.publish(message(600));
  let finishReading: () => void = () => {};
  setup.reading = new Promise((resolve) => {
    finishReading = resolve;
  });
  const { deliveries, consumption } = await collect(setup.bus);
  await turns();
  await consumption.stop();
  finishReading();
  const other = await collect(setup.raw);
  await turns();
  assert.equal(deliveries.length, 0);
  assert.equal(other.deliveries[0]?.attempt, 2);
  await Promise.all([setup.bus.close(), setup.raw.close()]);
});

test("messages whose bodies are missing leave room for those behind them", async () => {
  const { bus, stored } = setUp();
  for (let index = 0; index < 6; index++) await bus.publish(message(600, `${RUN}/1.0/${index}`));
  for (let index = 0; index < 5; index++) stored.delete(`${RUN}/1.0/${index}`);
  const delivered: string[] = [];
  const options = { maxHeld: 2, maxHeldBytes: 1_000, onFatal: assert.ifError };
  await bus.consume("work", options, ({ id }) => delivered.push(id));
  await turns(50);
  assert.deepEqual(delivered, [`${RUN}/1.0/5`]);
  assert.equal(await bus.lag("work"), 1);
  await bus.close();
});
