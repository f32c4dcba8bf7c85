/** Everything restarted under load, one process after another, as a rolling update does: what it costs, and that it loses and doubles nothing. */
import assert from "node:assert/strict";
import type { ChaosBrokerKind } from "./brokers.js";
import { countToTheEnd, type FinalCounts } from "./final-counts.js";
import { MEMBERS, type Members, type Role } from "./fleet.js";
import { type Load, READY_MS, runSessions, type Stage, startStage } from "./stage.js";

export interface RollingOptions {
  readonly kind: ChaosBrokerKind;
  readonly lanes: number;
  /** Of each session. */
  readonly assets: number;
  /** How long the undisturbed load is measured; 0: the first session of each lane has to do. */
  readonly undisturbedMs: number;
  /** How often everything is restarted. */
  readonly times: number;
  readonly members?: Members;
  readonly env?: Readonly<Record<string, string>>;
  readonly say?: (line: string) => void;
}

export interface Drain {
  readonly name: string;
  readonly role: Role;
  /** What it held when it was told to stop. */
  readonly held: number;
  /** From the signal to its end. */
  readonly ms: number;
  /** From its next start to being ready. */
  readonly startMs: number;
}

export interface RollingResult {
  readonly drains: readonly Drain[];
  readonly undisturbed: Load;
  readonly rolling: Load;
  /** Messages that were delivered another time: those that stopping processes had handed back. */
  readonly handedBack: number;
}

/**
 * As they are by default. What was not handed back well would be missing for so long; no sooner does anyone think that something is lost,
 * and publish it again, though restarts make everybody wait.
 */
const PATIENT = { NATS_ACK_WAIT: "30s", KAFKA_SESSION_TIMEOUT: "30s", STALL_TIMEOUT: "5m" };
/** DRAIN_TIMEOUT's default. */
export const DRAIN_MS = 25_000;
const LONGEST_SESSION_MS = 180_000;
const WORK_WAIT_MS = 5_000;
const HOPS = ["filter", "raster", "out.{packager}"] as const;

/** @throws AssertionError when a process does not end well, or a message that was finished is worked on again. */
export async function runRolling(options: RollingOptions): Promise<RollingResult> {
  const { kind, lanes, assets, members = MEMBERS, undisturbedMs, times, env = {}, say = () => undefined } = options;
  const counts = await countToTheEnd();
  try {
    const stage = await startStage({ kind, lanes, assets, members, env: { ...PATIENT, ...env, ...counts.env } });
    try {
      // The first sessions find everyone cold, and their archives are what all later ones are compared with.
      const first = await runSessions(stage, LONGEST_SESSION_MS, () => false);
      const end = performance.now() + undisturbedMs;
      const undisturbed = undisturbedMs > 0 ? await runSessions(stage, LONGEST_SESSION_MS, () => performance.now() < end) : first;
      const drains: Drain[] = [];
      let isOver = false;
      const load = runSessions(stage, LONGEST_SESSION_MS, () => !isOver);
      const restarts = (async () => {
        for (let time = 1; time <= times; time += 1) {
          for (const [name, role] of Object.entries(members)) {
            const drain = await restart(name, role, stage);
            drains.push(drain);
            say(
              `${name}: held ${drain.held}, ended after ${drain.ms.toFixed(0)} ms, was ready ${drain.startMs.toFixed(0)} ms after its start`,
            );
          }
        }
      })().finally(() => {
        isOver = true;
      });
      const [rolling] = await Promise.all([load, restarts]);
      await endAll(stage, members);
      assert.deepEqual(stage.fleet.crashes, [], "no process ended by itself");
      checkCounts(counts, [...new Set([first, undisturbed, rolling])], Object.keys(members).length * (times + 1));
      const handedBack = HOPS.reduce((sum, hop) => sum + counts.of(hop).redelivered, 0);
      return { drains, undisturbed, rolling, handedBack };
    } finally {
      await stage.close();
    }
  } finally {
    await counts.close();
  }
}

async function restart(name: string, role: Role, { fleet }: Stage): Promise<Drain> {
  const { held, ms, exitCode } = await fleet.terminate(name, WORK_WAIT_MS);
  assert.equal(exitCode, 0, `${name} ends well:\n${fleet.logOf(name).slice(-10).join("\n")}`);
  assert.ok(ms < DRAIN_MS, `${name} took ${ms} ms to end`);
  const since = performance.now();
  fleet.start(name);
  await fleet.ready(READY_MS);
  return { name, role, held, ms, startMs: performance.now() - since };
}

/** So that all tell what they have counted. */
async function endAll({ fleet }: Stage, members: Members): Promise<void> {
  for (const name of Object.keys(members)) assert.equal((await fleet.terminate(name, 0)).exitCode, 0, `${name} ends well`);
}

/** Of each message one was published and one was worked on to its end, however often it was handed back before. */
function checkCounts(counts: FinalCounts, loads: readonly Load[], lives: number): void {
  assert.equal(counts.processes, lives, "every process has told what it counted");
  const sum = (of: (lane: Stage["lanes"][number]) => number) =>
    loads.flatMap(({ finished }) => finished).reduce((total, { lane }) => total + of(lane), 0);
  const assets = sum(({ project }) => project.rows.length);
  const masks = sum(({ project }) => project.masks);
  const wanted = { filter: assets, raster: masks, "out.{packager}": assets };
  const all = (of: "sent" | "settled") => Object.fromEntries(HOPS.map((hop) => [hop, counts.of(hop)[of]]));
  assert.deepEqual(all("settled"), wanted, "messages worked on to their end: every one once");
  assert.deepEqual(all("sent"), wanted, "messages published: every one once");
}
