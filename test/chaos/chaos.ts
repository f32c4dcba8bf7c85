/**
 * `npm run chaos -- --bus nats|kafka [--minutes N] [--seed S] [--lanes N] [--assets N] [--least N]`: three runs (kills; kills and a lost volume;
 * kills and lost messages), and their table for docs/reliability.md. `--rolling [--write]` restarts everything under load instead, and writes
 * how long each role takes to end to drains.json, which the grace periods of the chart are held to.
 */
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CHAOS_BROKERS, type ChaosBrokerKind } from "./brokers.js";
import { type ChaosOptions, runChaos } from "./chaos-run.js";
import { drainsOf, writeDrains } from "./drains.js";
import { checkThatItHurt } from "./hurt.js";
import { runRolling } from "./rolling-run.js";
import { chaosTable, drainTable, throughputTable } from "./tables.js";

const MINUTE_MS = 60_000;
const ROLLING = { times: 3, undisturbedMs: 20_000 };

/** Of the time, and of the assets. */
const RUNS: readonly { readonly name: string; readonly share: number; readonly once: ChaosOptions["once"] }[] = [
  { name: "kills", share: 0.5, once: ["broker", "broker"] },
  { name: "and a lost volume", share: 0.25, once: ["volume", "broker"] },
  { name: "and lost messages", share: 0.25, once: ["messages", "broker"] },
];

const { values } = parseArgs({
  options: {
    bus: { type: "string", default: "nats" },
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: `${randomInt(1, 1_000_000)}` },
    lanes: { type: "string", default: "4" },
    assets: { type: "string", default: "1000" },
    least: { type: "string", default: "20000" },
    rolling: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});

function wholeNumber(name: "minutes" | "seed" | "lanes" | "assets" | "least"): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is ${values[name]}; allowed: a whole number from 1`);
  return number;
}

function brokerKind(): ChaosBrokerKind {
  const kind = CHAOS_BROKERS[values.bus]?.();
  if (kind === undefined) throw new Error(`--bus is ${values.bus}; allowed: ${Object.keys(CHAOS_BROKERS).join(", ")}`);
  if ("skip" in kind) throw new Error(kind.skip);
  return kind;
}

async function chaos(kind: ChaosBrokerKind): Promise<void> {
  const [seed, minutes, least] = [wholeNumber("seed"), wholeNumber("minutes"), wholeNumber("least")];
  console.log(`chaos on ${values.bus}: ${minutes} minutes, seed ${seed}, takeover after ${kind.takeoverMs} ms`);
  const results = [];
  for (const { name, share, once } of RUNS) {
    console.log(`\n${name}:`);
    const result = await runChaos({
      ...{ kind, seed, once, lanes: wholeNumber("lanes"), assets: wholeNumber("assets") },
      durationMs: minutes * MINUTE_MS * share,
      leastAssets: least * share,
      env: { SESSION_WINDOW: "64" },
      say: console.log,
    });
    checkThatItHurt(result, once);
    results.push({ name, result });
  }
  console.log(`\n${chaosTable(values.bus, results)}`);
}

async function rolling(kind: ChaosBrokerKind): Promise<void> {
  console.log(`rolling restarts on ${values.bus}: ${ROLLING.times} of everything, on ${availableParallelism()} cores`);
  const result = await runRolling({ kind, lanes: wholeNumber("lanes"), assets: wholeNumber("assets"), ...ROLLING, say: console.log });
  const drains = drainsOf(result.drains);
  console.log(`\n${drainTable(values.bus, drains)}\n\n${throughputTable(values.bus, result)}`);
  if (values.write) await writeDrains(values.bus, drains);
}

await (values.rolling ? rolling(brokerKind()) : chaos(brokerKind()));
