/**
 * All roles as processes of their own, as many of each as in a cluster: a gateway for each of two plugins, filters, rasterizers and
 * packagers. Each can be killed, asked to end, and started again on its volume.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type Child, startChild } from "../support/children.js";
import { freePort } from "../support/free-port.js";
import { addCounts, type Counts, type Figures, NO_COUNTS, readFigures } from "./figures.js";

export type Role = "gateway" | "filter" | "rasterizer" | "packager";

/** A process by its name, and its role. */
export type Members = Readonly<Record<string, Role>>;

/** Two of each, four that paint. */
export const MEMBERS: Members = {
  "gateway-a": "gateway",
  "gateway-b": "gateway",
  "filter-1": "filter",
  "filter-2": "filter",
  "rasterizer-1": "rasterizer",
  "rasterizer-2": "rasterizer",
  "rasterizer-3": "rasterizer",
  "rasterizer-4": "rasterizer",
  "packager-1": "packager",
  "packager-2": "packager",
};

/** What a gateway is told of its Hub, by the gateway's name. */
export type Plugins = Readonly<Record<string, { readonly url: string; readonly pluginId: string; readonly pluginSecret: string }>>;

export interface Ended {
  /** What it had not finished when it was told. */
  readonly held: number;
  readonly ms: number;
  /** Undefined: a signal ended it. */
  readonly exitCode: number | undefined;
}

export interface Fleet {
  readonly members: Members;
  /** As soon as it has unfinished work, at the latest after so long. Resolves when it has ended, with how much that was. */
  kill(name: string, workWithinMs: number): Promise<number>;
  /** As Kubernetes does it: SIGTERM, and it may take its time. As soon as it has work, too. */
  terminate(name: string, workWithinMs: number): Promise<Ended>;
  start(name: string): void;
  /** Deletes its volume; it must not run. */
  wipe(name: string): Promise<void>;
  /** Status and text of /readyz; undefined when it does not answer. */
  readiness(name: string): Promise<string | undefined>;
  /** Resolves when all that run are ready; rejects with what they wait for after `ms`. */
  ready(ms: number): Promise<void>;
  /** Of all lives of all processes. */
  counts(): Counts;
  /** Lines that a process logged in all its lives. */
  logOf(name: string): readonly string[];
  /** How processes ended that nobody had ended. */
  readonly crashes: readonly string[];
  close(): Promise<void>;
}

interface Life {
  readonly child: Child;
  /** As it told last. */
  figures: Figures | undefined;
  /** Somebody has ended it. */
  isOver: boolean;
}

const EXECUTABLE = new URL("../../services/main.js", import.meta.url);
const ANSWER_MS = 2_000;
const LOOK_EVERY_MS = 500;
const POLL_MS = 5;
const READY_POLL_MS = 50;
const KEPT_LINES = 2_000;

/** Starts all, in no order: whoever needs another one waits for it. `env` names the bus, and anything else beside the usual. */
export async function startFleet(members: Members, plugins: Plugins, env: Readonly<Record<string, string>>): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-fleet-"));
  const blobs = join(folder, "blobs");
  await mkdir(blobs);
  const names = Object.keys(members);
  const ports = new Map<string, { readonly health: number; readonly grpc: number }>();
  for (const name of names) ports.set(name, { health: await freePort(), grpc: await freePort() });
  const portsOf = (name: string) => ports.get(name) ?? { health: 0, grpc: 0 };
  const gateways = names.filter((name) => members[name] === "gateway");
  const lives = new Map<string, Life>();
  const logs = new Map<string, string[]>();
  const crashes: string[] = [];
  let past = NO_COUNTS;

  function start(name: string): void {
    const role = members[name];
    if (role === undefined) throw new Error(`${name} is none of ${names.join(", ")}`);
    if (lives.has(name)) throw new Error(`${name} runs already`);
    const plugin = plugins[name];
    const lines = logs.get(name) ?? [];
    logs.set(name, lines);
    const child = startChild({
      name,
      script: EXECUTABLE,
      args: [role],
      env: {
        PATH: process.env.PATH,
        TMPDIR: tmpdir(),
        ...(plugin && { HOST: plugin.url, PLUGIN_ID: plugin.pluginId, PLUGIN_SECRET: plugin.pluginSecret, GATEWAY_ID: name }),
        ...(role === "packager" && { PACKAGER_ID: name }),
        LISTEN_HOST: "127.0.0.1",
        GRPC_PORT: String(portsOf(name).grpc),
        GATEWAY_ADDRS: gateways.map((gateway) => `127.0.0.1:${portsOf(gateway).grpc}`).join(),
        GRPC_TOKEN: "grpc-token-canary",
        DATA_DIR: join(folder, name),
        BLOB_URL: pathToFileURL(blobs).href,
        HEALTH_PORT: String(portsOf(name).health),
        LOGLEVEL: "warn",
        CONCURRENCY: "1",
        ...env,
      },
      onLog: (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
      },
    });
    const life: Life = { child, figures: undefined, isOver: false };
    lives.set(name, life);
    child.ended.catch((error: Error) => {
      if (!life.isOver) crashes.push(error.message);
    });
  }

  async function get(name: string, path: "/readyz" | "/metrics"): Promise<string | undefined> {
    try {
      const answer = await fetch(`http://127.0.0.1:${portsOf(name).health}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
      const text = await answer.text();
      if (path === "/readyz") return `${answer.status} ${text.trim()}`;
      return answer.ok ? text : undefined;
    } catch {
      return undefined;
    }
  }

  async function look(name: string): Promise<Figures | undefined> {
    const life = lives.get(name);
    const text = await get(name, "/metrics");
    // A process that starts has no figures yet.
    if (life && text?.trim()) life.figures = readFigures(text);
    return life?.figures;
  }

  /** Looks until it has something to do, at the longest for so long. */
  async function atWork(name: string, withinMs: number): Promise<void> {
    const end = performance.now() + withinMs;
    while (!((await look(name))?.unfinished ?? 0) && performance.now() < end) await sleep(POLL_MS);
  }

  function running(name: string): Life {
    const life = lives.get(name);
    if (!life) throw new Error(`${name} does not run`);
    return life;
  }

  /** It ends, and what it has counted stays. */
  function over(name: string): Life {
    const life = running(name);
    life.isOver = true;
    lives.delete(name);
    return life;
  }

  const looking = new AbortController();
  const watch = (async () => {
    while (!looking.signal.aborted) {
      await Promise.all([...lives.keys()].map(look));
      await sleep(LOOK_EVERY_MS, undefined, { signal: looking.signal }).catch(() => undefined);
    }
  })();

  for (const name of names) start(name);
  return {
    members,
    start,
    crashes,
    async kill(name, workWithinMs) {
      await atWork(name, workWithinMs);
      const life = over(name);
      await life.child.kill();
      past = addCounts(past, life.figures ?? NO_COUNTS);
      return life.figures?.unfinished ?? 0;
    },
    async terminate(name, workWithinMs) {
      await atWork(name, workWithinMs);
      const life = over(name);
      const since = performance.now();
      process.kill(life.child.pid, "SIGTERM");
      const exitCode = await life.child.exitCode;
      past = addCounts(past, life.figures ?? NO_COUNTS);
      return { held: life.figures?.unfinished ?? 0, ms: performance.now() - since, exitCode };
    },
    wipe: (name) => rm(join(folder, name), { recursive: true, force: true }),
    readiness: (name) => get(name, "/readyz"),
    async ready(ms) {
      for (const end = performance.now() + ms; ; await sleep(READY_POLL_MS)) {
        const states = await Promise.all([...lives.keys()].map(async (name) => `${name}: ${await get(name, "/readyz")}`));
        const waiting = states.filter((state) => !state.endsWith("200 ok"));
        if (waiting.length === 0) return;
        if (crashes.length > 0) throw new Error(`a process ended by itself: ${crashes.join("\n")}`);
        if (performance.now() > end) throw new Error(`not ready after ${ms} ms: ${waiting.join("; ")}`);
      }
    },
    counts: () => [...lives.values()].reduce((sum, { figures }) => addCounts(sum, figures ?? NO_COUNTS), past),
    logOf: (name) => logs.get(name) ?? [],
    async close() {
      looking.abort();
      const ending = [...lives.values()];
      for (const life of ending) life.isOver = true;
      lives.clear();
      await Promise.all(ending.map(({ child }) => child.kill()));
      await watch;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
