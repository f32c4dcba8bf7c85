/** One session through a new cluster of four roles on NATS, and what each role used for it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { BROKER, type Cluster, startCluster, THREADS, type Usage } from "./cluster.js";
import { type FixtureOptions, fixtureProject, fixtureRows } from "./export-fixture.js";
import { bytesIn } from "./usage.js";

export interface RolesMeasure {
  readonly assets: number;
  /** From the accepted session (the export is frozen) to the answer. */
  readonly seconds: number;
  /** Processor time of all roles, from Run to the answer. */
  readonly cpuSeconds: number;
  readonly brokerCpuSeconds: number;
  /** By role, and the broker's. */
  readonly peakBytes: ReadonlyMap<string, number>;
  /** What the broker kept on its disk at most. */
  readonly storeBytes: number;
}

const LOOK_EVERY_MS = 250;
const TELL_EVERY_MS = 10_000;

export interface RolesOptions {
  readonly fixture: FixtureOptions;
  /** Assets of a session before, which is not measured but for memory. */
  readonly warmUp?: number;
  /** Told now and then how far it is. */
  readonly tell: (text: string) => void;
  /** Given the session before everything is deleted. */
  readonly look?: (session: SessionHandle) => Promise<void>;
}

export async function measureRoles({ fixture, warmUp = 0, tell, look }: RolesOptions): Promise<RolesMeasure> {
  const { assets } = fixture;
  const project = fixtureProject("0123456789abcdef01234501");
  const before = fixtureProject("0123456789abcdef01234502");
  const cluster = await startCluster({
    bus: "nats",
    projects: [
      { project, rows: () => fixtureRows(fixture) },
      { project: before, rows: () => fixtureRows({ ...fixture, assets: warmUp }) },
    ],
    env: { CONCURRENCY: String(THREADS) },
  });
  try {
    if (warmUp > 0) await cluster.run(before._id);
    const atRun = cluster.usage();
    let done = 0;
    const running = cluster.run(project._id, {
      every: Math.max(1, Math.floor(assets / 100)),
      onProgress: (now) => {
        done = now;
      },
    });
    const watched = watch(cluster, running, () => tell(`${done} of ${assets}: ${residents(cluster.usage())}`));
    const { handle, acceptedAt, answeredAt } = await running;
    const after = cluster.usage();
    const storeBytes = await watched;
    const used = (isOne: (name: string) => boolean) =>
      [...after]
        .filter(([name]) => isOne(name))
        .reduce((sum, [name, { cpuSeconds }]) => sum + cpuSeconds - (atRun.get(name)?.cpuSeconds ?? 0), 0);
    await look?.(handle);
    return {
      assets,
      seconds: (answeredAt - acceptedAt) / 1000,
      cpuSeconds: used((name) => name !== BROKER),
      brokerCpuSeconds: used((name) => name === BROKER),
      peakBytes: new Map([...after].map(([name, { peakBytes }]) => [name, peakBytes])),
      storeBytes,
    };
  } finally {
    await cluster.close();
  }
}

/** @returns the most that the broker had on its disk until the session ended */
async function watch({ broker }: Cluster, running: Promise<unknown>, tell: () => void): Promise<number> {
  const ended = running.then(
    () => true,
    () => true,
  );
  let most = 0;
  let toldAt = performance.now();
  while (!(await Promise.race([ended, sleep(LOOK_EVERY_MS, false)]))) {
    if (broker) most = Math.max(most, await bytesIn(broker.folder));
    if (performance.now() - toldAt < TELL_EVERY_MS) continue;
    toldAt = performance.now();
    tell();
  }
  return most;
}

function residents(usage: ReadonlyMap<string, Usage>): string {
  return [...usage].map(([name, { residentBytes }]) => `${name} ${(residentBytes / 1e6).toFixed(0)} MB`).join(", ");
}
