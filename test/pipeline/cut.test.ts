import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { readArchiveBytes } from "../support/archive.js";
import { type Cuttable, cuttableBus, cuttableProxy } from "../support/cuttable.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { type Pipeline, startPipeline } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const ASSETS = 300;
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({ id: `task-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }),
);
const env = { SESSION_WINDOW: "8" };

/** Longer than a Sync and every first backoff, so that standing still for so long is no accident. */
const STALL_MS = 1_500;

async function stallsAndGoesOn(pipeline: Pipeline, connection: Cuttable, progress: () => number): Promise<void> {
  const handle = await pipeline.press({ verbose_frequency: 5 });
  await eventuallyHolds(() => assert.ok(progress() > 0, "the session has begun"));
  connection.cut();
  await sleep(300);
  const before = progress();
  assert.ok(before < ASSETS, "it was cut in the middle");
  await sleep(STALL_MS);
  assert.equal(progress(), before, "nothing moves while it is cut");
  assert.equal(handle.results.length, 0, "and nobody gives up");
  connection.mend();
  const result = await handle.result;
  assert.equal(result.export, true);
  const archive = await readArchiveBytes(await handle.download());
  assert.equal([...archive.keys()].filter((name) => name.endsWith(".png")).length, ASSETS);
  assert.equal(handle.results.length, 1);
}

/** Counts what has been published for the packager. */
function counting(bus: Bus): { readonly bus: Bus; readonly outcomes: () => number } {
  let outcomes = 0;
  return {
    outcomes: () => outcomes,
    bus: {
      ...bus,
      publish: async (message, signal) => {
        await bus.publish(message, signal);
        if (message.queue.startsWith("out.")) outcomes += 1;
      },
    },
  };
}

describe("in one process the services meet only through the bus and gRPC:", () => {
  it("with the bus cut the session stalls, and goes on when it is back", { timeout: 60_000 }, async () => {
    let connection: (Cuttable & { readonly bus: Bus }) | undefined;
    let outcomes = () => 0;
    const pipeline = await startPipeline({
      rows,
      env,
      wrapBus: (bus) => {
        const counted = counting(bus);
        outcomes = counted.outcomes;
        connection = cuttableBus(counted.bus);
        return connection.bus;
      },
    });
    try {
      assert.ok(connection);
      await stallsAndGoesOn(pipeline, connection, outcomes);
    } finally {
      await pipeline.close();
    }
  });

  it("with gRPC cut the session stalls for want of credits, and goes on when it is back", { timeout: 60_000 }, async () => {
    let address = "";
    const proxy = await cuttableProxy(() => address);
    let outcomes = () => 0;
    const pipeline = await startPipeline({
      rows,
      env,
      wrapBus: (bus) => {
        const counted = counting(bus);
        outcomes = counted.outcomes;
        return counted.bus;
      },
      dial: (gateway) => {
        address = gateway;
        return proxy.address;
      },
    });
    try {
      await stallsAndGoesOn(pipeline, proxy, outcomes);
    } finally {
      await pipeline.close();
      await proxy.close();
    }
  });
});
