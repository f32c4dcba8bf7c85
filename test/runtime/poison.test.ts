import assert from "node:assert/strict";
import { it } from "node:test";
import { createMemoryBus } from "../../services/runtime/bus/memory.js";
import { createLogger } from "../../services/runtime/log.js";
import { runStepLoop } from "../../services/runtime/step-loop.js";
import { createWorkers, needsIsolation } from "../../services/runtime/workers.js";
import { eventuallyHolds } from "../support/eventually-holds.js";

it("a message that kills every process it is in is rejected after five deaths, and the others of its round are done", async () => {
  const bus = createMemoryBus({ maxMessages: 100, maxBytes: 2 ** 20 });
  const workers = createWorkers(new URL("./misbehaving-worker.js", import.meta.url), 1);
  const outcomes = new Map<string, string>();
  await bus.consume("next", { maxHeld: 100, maxHeldBytes: 2 ** 20, onFatal: assert.fail }, (delivery) => {
    outcomes.set(delivery.id, Buffer.from(delivery.body).toString());
    void delivery.ack();
  });
  const loop = await runStepLoop({
    bus,
    queue: "in",
    // As the filter and the rasterizer do.
    step: (input, signal) => workers.run({ input: input.body }, { isolated: needsIsolation(input), signal }),
    concurrency: 2,
    maxHeldBytes: 2 ** 20,
    onReject: (_input, { code, reason }) => [{ queue: "next", suffix: "/x", body: Buffer.from(`${code}: ${reason}`) }],
    log: createLogger("silent"),
    onFatal: assert.fail,
    patience: { firstDelayMs: 5, maxDelayMs: 10 },
  });
  try {
    // The third life of a process that the first message has killed twice: on a bus that died with it, each life is a round.
    for (const [index, text] of ["die", "hello", "hello", "hello"].entries()) {
      await bus.publish({ queue: "in", key: "run", id: `run/1.2/${index}`, headers: {}, body: Buffer.from(text) });
    }
    await eventuallyHolds(() => assert.equal(outcomes.size, 4), 30_000);
    assert.match(outcomes.get("run/1.2/0/x") ?? "", /^failed: .*5 times.*SIGKILL/);
    for (const index of [1, 2, 3]) assert.match(outcomes.get(`run/1.2/${index}/s`) ?? "", /^hello by \d+$/);
  } finally {
    await loop.stop(1_000);
    await workers.close();
    await bus.close();
  }
});
