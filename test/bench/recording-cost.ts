/** What it costs to record the metrics of one asset: the same messages over a bus that does nothing, bare and observed. */
import type { Bus, Delivery, OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { observedBus } from "../../services/runtime/telemetry/observed-bus.js";
import { observedStep } from "../../services/runtime/telemetry/observed-step.js";
import { median } from "./median.js";

const ASSETS = 50_000;
const ROUNDS = 5;
const RUN = "0".repeat(26);
/** The way of an asset with one mask: each queue, and what the id of its message ends in. */
const WAY = [
  ["filter", ""],
  ["raster", "/p0"],
  ["out.p1", "/o"],
] as const;
const STAGES = [
  { stage: "paint", startMs: 1, endMs: 2 },
  { stage: "encode", startMs: 2, endMs: 3 },
];

/** @returns seconds of processor time an asset */
export async function recordingCost(): Promise<number> {
  const none = { id: "", key: RUN, body: new Uint8Array(), attempt: 1 };
  const outputs = [{ queue: "out.p1", suffix: "/o", body: none.body, stages: STAGES }];
  const plain = async () => outputs;
  const costs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await oneRound((bus) => bus, plain);
    costs.push((await oneRound((bus) => observedBus(bus, { system: "none" }), observedStep("raster", plain))) - bare);
  }
  return median(costs);
}

async function oneRound(wrap: (bus: Bus) => Bus, step: ReturnType<typeof observedStep>): Promise<number> {
  const takers = new Map<string, (delivery: Delivery) => void>();
  const bus = wrap(busOfOneMessage(takers));
  let taken: Delivery | undefined;
  const take = (delivery: Delivery) => {
    taken = delivery;
  };
  for (const [queue] of WAY) await bus.consume(queue, { maxHeld: 1, maxHeldBytes: 1, onFatal: () => undefined }, take);
  const body = new Uint8Array(1000);
  const { signal } = new AbortController();
  const before = process.cpuUsage();
  for (let index = 0; index < ASSETS; index++) {
    let id = `${RUN}/1.0/${index}`;
    for (const [queue, suffix] of WAY) {
      id += suffix;
      const input = taken;
      await bus.publish({ queue, key: RUN, id, headers: {}, body });
      await input?.ack();
      if (queue === "raster" && taken) await step(taken, signal);
    }
  }
  const { user, system } = process.cpuUsage(before);
  await bus.close();
  return (user + system) / 1e6 / ASSETS;
}

/** Hands every message at once to whoever takes its queue. */
function busOfOneMessage(takers: Map<string, (delivery: Delivery) => void>): Bus {
  const done = async () => undefined;
  return {
    async publish(message: OutgoingMessage) {
      takers.get(message.queue)?.({ ...message, attempt: 1, ack: done, retry: done });
    },
    async consume(queue, _options, deliver) {
      takers.set(queue, deliver);
      return { stop: done, release: done };
    },
    lag: async () => 0,
    ready: () => true,
    close: done,
  };
}
