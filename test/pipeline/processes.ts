/** The services for tests as operators run them: each a process of its own, the compiled executable, on a real broker. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HubSimulator } from "../hub-simulator/server.js";
import { type Child, startChild } from "../support/children.js";
import { freePort } from "../support/free-port.js";

/** A broker for one test: what the services are told of it, and how it is killed. */
export interface TestBroker {
  readonly env: Readonly<Record<string, string>>;
  /** Ends it hard and starts it again with what it has on disk. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface Processes {
  /** Ends it with SIGKILL. */
  kill(name: string): Promise<void>;
  /** Starts it again. */
  start(name: string): void;
  /** Of those that run, by their names. */
  readonly pids: ReadonlyMap<string, number>;
  /** Rejects when one has ended that nobody ended. */
  readonly broken: Promise<never>;
  close(): Promise<void>;
}

/** A role of the executable for each process, by the process's name. */
export const FIVE_PROCESSES = {
  gateway: "gateway",
  filter: "filter",
  "rasterizer-1": "rasterizer",
  "rasterizer-2": "rasterizer",
  packager: "packager",
};

const executable = new URL("../../services/main.js", import.meta.url);

/**
 * Starts all, in no order: whoever needs another one waits for it. `env` names the bus, and anything else beside the usual; `onLog` is told
 * every line of a process's log.
 */
export async function startProcesses(
  roles: Readonly<Record<string, string>>,
  hub: HubSimulator,
  plugin: { readonly pluginId: string; readonly pluginSecret: string },
  env: Readonly<Record<string, string>>,
  onLog?: (name: string, line: string) => void,
): Promise<Processes> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-processes-"));
  const grpcPort = await freePort();
  const blobs = join(folder, "blobs");
  await mkdir(blobs);
  const children = new Map<string, Child>();
  let breakDown: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    breakDown = reject;
  });
  broken.catch(() => undefined);

  function start(name: string): void {
    const role = roles[name];
    if (role === undefined) throw new Error(`${name} is none of ${Object.keys(roles).join(", ")}`);
    const child = startChild({
      name,
      script: executable,
      args: [role],
      env: {
        PATH: process.env.PATH,
        TMPDIR: tmpdir(),
        HOST: hub.url,
        PLUGIN_ID: plugin.pluginId,
        PLUGIN_SECRET: plugin.pluginSecret,
        LISTEN_HOST: "127.0.0.1",
        GRPC_PORT: String(grpcPort),
        GATEWAY_ADDRS: `127.0.0.1:${grpcPort}`,
        GRPC_TOKEN: "grpc-token-canary",
        DATA_DIR: join(folder, name),
        BLOB_URL: pathToFileURL(blobs).href,
        PACKAGER_ID: "p1",
        HEALTH_PORT: "0",
        LOGLEVEL: "warn",
        CONCURRENCY: "1",
        ...env,
      },
      ...(onLog && { onLog: (line: string) => onLog(name, line) }),
    });
    children.set(name, child);
    child.ended.catch((error: unknown) => {
      if (children.get(name) === child) breakDown(error);
    });
  }

  for (const name of Object.keys(roles)) start(name);
  return {
    async kill(name) {
      const child = children.get(name);
      if (!child) throw new Error(`${name} does not run`);
      children.delete(name);
      await child.kill();
    },
    start,
    get pids() {
      return new Map(Array.from(children, ([name, { pid }]) => [name, pid]));
    },
    broken,
    async close() {
      const running = [...children.values()];
      children.clear();
      await Promise.all(running.map((child) => child.stop()));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
