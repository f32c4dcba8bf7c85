/** Sessions through roles that are processes of their own, as operators run them, on a real broker; watched from outside. */
import { randomBytes } from "node:crypto";
import type { SimulatedProject } from "../hub-simulator/rest.js";
import { startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { startProcesses } from "../pipeline/processes.js";
import { type Broker, type BusName, findBroker } from "./broker.js";
import { cpuSeconds, peakBytes, residentBytes } from "./usage.js";

export interface ClusterOptions {
  readonly bus: BusName;
  readonly projects: readonly SimulatedProject[];
  /** A role for each process, by the process's name. On the memory bus there is one that is all of them. */
  readonly roles?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Session {
  readonly handle: SessionHandle;
  readonly pressedAt: number;
  /** The export is stored, and its first asset is published. */
  readonly acceptedAt: number;
  readonly answeredAt: number;
}

export interface Cluster {
  readonly broker: Broker | undefined;
  /** Presses Run, and resolves with the answer. @throws Error when that is none of an archive, or a process has ended */
  run(projectId: string, options?: { readonly every?: number; readonly onProgress?: (assets: number) => void }): Promise<Session>;
  /** By the process's name, the broker's too. */
  usage(): Map<string, Usage>;
  close(): Promise<void>;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export const BROKER = "broker";
/** One process of each role. */
export const FOUR_ROLES = { gateway: "gateway", filter: "filter", rasterizer: "rasterizer", packager: "packager" };

/** CONCURRENCY of filter and rasterizer where they share four cores with the rest; each thread more takes some 25 MB. */
export const THREADS = 2;

const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };
const CONNECTED_MS = 60_000;

/** Starts the broker, the roles and a simulated Hub; resolves when the gateway is connected to that. */
export async function startCluster({ bus, projects, roles = FOUR_ROLES, env }: ClusterOptions): Promise<Cluster> {
  const broker = await startBroker(bus);
  const listeners = new Map<string, (message: string) => void>();
  const hub = await startHubSimulator({
    projects,
    ...PLUGIN,
    apiKey: "key",
    onEvent: (event) => {
      if ("log" in event) listeners.get(event.log.session)?.(event.log.msg);
    },
  });
  // The same rows again and again compress better than any real export.
  const services = { EXPORT_RATIO_LIMIT: "1000000", ...broker?.env, ...env };
  const processes = await startProcesses(broker ? roles : { all: "all" }, hub, PLUGIN, services);
  const close = async () => {
    await processes.close();
    await hub.close();
    await broker?.close();
  };
  try {
    await Promise.race([hub.waitForPlugin(CONNECTED_MS), processes.broken]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    broker,
    close,
    async run(projectId, { every = 1000, onProgress } = {}) {
      const session = randomBytes(12).toString("hex");
      let acceptedAt = Number.NaN;
      listeners.set(session, (message) => {
        if (message.startsWith("Session accepted")) acceptedAt = performance.now();
        const done = /^([\d,]+) of [\d,]+ \(/.exec(message)?.[1];
        if (done !== undefined) onProgress?.(Number(done.replaceAll(",", "")));
      });
      const pressedAt = performance.now();
      const handle = await hub.run({ projectId, session, stage: [], configJSON: JSON.stringify({ verbose_frequency: every }) });
      const result = await Promise.race([handle.result, processes.broken]);
      const answeredAt = performance.now();
      listeners.delete(session);
      if (result.error) throw new Error(`a session ended with an error: ${handle.logs.at(-1)?.msg}`);
      return { handle, pressedAt, acceptedAt, answeredAt };
    },
    usage() {
      const pids = new Map(processes.pids);
      if (broker) pids.set(BROKER, broker.pid);
      const usageOf = (pid: number) => ({ cpuSeconds: cpuSeconds(pid), residentBytes: residentBytes(pid), peakBytes: peakBytes(pid) });
      return new Map([...pids].map(([name, pid]) => [name, usageOf(pid)]));
    },
  };
}

async function startBroker(bus: BusName): Promise<Broker | undefined> {
  if (bus === "memory") return undefined;
  const broker = findBroker(bus);
  if ("skip" in broker) throw new Error(broker.skip);
  return broker.start();
}
