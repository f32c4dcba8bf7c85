import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bus, OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { createMemoryBus } from "../../services/runtime/bus/memory.js";
import { Fatal, Reject, Retry } from "../../services/runtime/errors.js";
import { createLogger } from "../../services/runtime/log.js";
import type { Step } from "../../services/runtime/step.js";
import { runStepLoop, type StepLoopOptions } from "../../services/runtime/step-loop.js";
import { eventuallyHolds } from "../support/eventually-holds.js";

const quick = { firstDelayMs: 5, maxDelayMs: 10, inPlaceMs: 100, deadlineMs: 150 };
const silent = createLogger("silent");
const echo: Step = async ({ body }) => [{ queue: "out", suffix: "/done", body }];

function message(id: string, text = id): OutgoingMessage {
  return { queue: "in", key: "run", id, headers: {}, body: Buffer.from(text) };
}

async function collect(bus: Bus, queue = "out"): Promise<{ id: string; text: string }[]> {
  const seen: { id: string; text: string }[] = [];
  await bus.consume(queue, { maxHeld: 1000, maxHeldBytes: 2 ** 24, onFatal: assert.fail }, (delivery) => {
    seen.push({ id: delivery.id, text: Buffer.from(delivery.body).toString() });
    void delivery.ack();
  });
  return seen;
}

async function loop(bus: Bus, step: Step, options: Partial<StepLoopOptions> = {}) {
  return runStepLoop({
    bus,
    queue: "in",
    step,
    concurrency: 2,
    maxHeldBytes: 2 ** 20,
    onReject: (_input, { code, reason }) => [{ queue: "out", suffix: "/x", body: Buffer.from(`${code}: ${reason}`) }],
    log: silent,
    onFatal: assert.fail,
    patience: quick,
    ...options,
  });
}

const open = () => createMemoryBus({ maxMessages: 1000, maxBytes: 2 ** 24 });

describe("the step loop", () => {
  it("publishes what the step returned under ids derived from the input, then acks", async () => {
    const bus = open();
    const seen = await collect(bus);
    const running = await loop(bus, echo);
    await bus.publish(message("run/1.0/7", "hello"));
    await eventuallyHolds(() => assert.deepEqual(seen, [{ id: "run/1.0/7/done", text: "hello" }]));
    await eventuallyHolds(async () => assert.equal(await bus.lag("in"), 0));
    await running.stop(100);
    await bus.close();
  });

  it("does not ack before everything is published", async () => {
    const bus = open();
    let refuse = true;
    const failing: Bus = {
      ...bus,
      publish: (outgoing, signal) =>
        refuse && outgoing.queue === "out" ? Promise.reject(new Retry("the bus is away")) : bus.publish(outgoing, signal),
    };
    const seen = await collect(bus);
    const lines: string[] = [];
    const running = await loop(failing, echo, { log: createLogger("debug", (line) => lines.push(line)) });
    await bus.publish(message("a"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await bus.lag("in"), 1);
    assert.equal(lines.filter((line) => line.includes("the bus is away")).length, 1, "an outage is told once");
    refuse = false;
    await eventuallyHolds(() => assert.equal(seen.length, 1));
    await eventuallyHolds(async () => assert.equal(await bus.lag("in"), 0));
    await running.stop(100);
    await bus.close();
  });

  it("rejects a message after five observed failures, with the last one as the reason", async () => {
    const bus = open();
    const seen = await collect(bus);
    let tries = 0;
    const running = await loop(bus, async () => {
      tries += 1;
      throw new TypeError(`failure ${tries}`);
    });
    await bus.publish(message("a"));
    await eventuallyHolds(() => assert.equal(seen.length, 1));
    assert.equal(tries, 5);
    assert.match(seen[0]?.text ?? "", /^failed: .*5 times.*failure 5/);
    await running.stop(100);
    await bus.close();
  });

  it("counts a try that takes longer than the deadline as a failure", async () => {
    const bus = open();
    const seen = await collect(bus);
    const running = await loop(
      bus,
      (_input, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      { patience: { ...quick, deadlineMs: 10 } },
    );
    await bus.publish(message("a"));
    await eventuallyHolds(() => assert.match(seen[0]?.text ?? "", /took longer than 0.01 s/));
    await running.stop(100);
    await bus.close();
  });

  it("waits out an outage of any length without rejecting, and hands the message back in between", async () => {
    const bus = open();
    const seen = await collect(bus);
    const until = Date.now() + 400;
    const counted: Bus = {
      ...bus,
      consume: (queue, options, deliver) =>
        bus.consume(queue, options, (delivery) => {
          deliveries += 1;
          deliver(delivery);
        }),
    };
    let deliveries = 0;
    const attempts = new Set<number>();
    const running = await loop(counted, async (input) => {
      attempts.add(input.attempt);
      if (Date.now() < until) throw new Retry("the gateway is away");
      return [{ queue: "out", suffix: "/done", body: input.body }];
    });
    await bus.publish(message("a"));
    await eventuallyHolds(() => assert.deepEqual(seen, [{ id: "a/done", text: "a" }]));
    assert.ok(deliveries > 1, "the message was handed back at least once");
    assert.deepEqual([...attempts], [1], "an outage does not make a message suspicious");
    await running.stop(100);
    await bus.close();
  });

  it("rejects at once what a step says can not succeed, and goes on with the next", async () => {
    const bus = open();
    const seen = await collect(bus);
    const running = await loop(bus, async (input, signal) => {
      if (input.id === "bad") throw new Reject("bad_geometry", "not a number");
      return echo(input, signal);
    });
    await bus.publish(message("bad"));
    await bus.publish(message("good"));
    await eventuallyHolds(() => assert.deepEqual(seen.map(({ text }) => text).sort(), ["bad_geometry: not a number", "good"]));
    await running.stop(100);
    await bus.close();
  });

  it("stops the process on a fatal error and leaves the message to others", async () => {
    const bus = open();
    let fatal: Error | undefined;
    const running = await loop(
      bus,
      async () => {
        throw new Fatal("the disk is broken");
      },
      {
        onFatal: (error) => {
          fatal = error;
        },
      },
    );
    await bus.publish(message("a"));
    await eventuallyHolds(() => assert.match(fatal?.message ?? "", /disk is broken/));
    await running.stop(50);
    const seen = await collect(bus, "in");
    await eventuallyHolds(() => assert.equal(seen.length, 1));
    await bus.close();
  });

  it("works on no more messages at once than its concurrency, and holds at most twice as many", async () => {
    const bus = open();
    let now = 0;
    let most = 0;
    let held = 0;
    let mostHeld = 0;
    const counted: Bus = {
      ...bus,
      consume: (queue, options, deliver) =>
        bus.consume(queue, options, (delivery) => {
          mostHeld = Math.max(mostHeld, ++held);
          const ack = () => {
            held -= 1;
            return delivery.ack();
          };
          deliver({ ...delivery, ack });
        }),
    };
    const running = await loop(counted, async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
      return [];
    });
    for (let index = 0; index < 40; index++) await bus.publish(message(`m${index}`));
    await eventuallyHolds(async () => assert.equal(await bus.lag("in"), 0));
    assert.deepEqual([most, mostHeld], [2, 4]);
    await running.stop(100);
    await bus.close();
  });

  it("finishes what it works on when stopped, and hands back the rest at once", async () => {
    const bus = open();
    const done = await collect(bus);
    const running = await loop(bus, async (input, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return echo(input, signal);
    });
    for (let index = 0; index < 4; index++) await bus.publish(message(`m${index}`));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await running.stop(1000);
    await eventuallyHolds(() => assert.equal(done.length, 2));
    const rest = await collect(bus, "in");
    await eventuallyHolds(() => assert.deepEqual(rest.map(({ id }) => id).sort(), ["m2", "m3"]));
    await bus.close();
  });
});
