/** A real nats-server on a free loopback port, for tests: found or fetched by get-nats.mjs. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../project-root.js";
import { freePort } from "../support/free-port.js";
import { isRequired, skipReason } from "./required.js";

export interface NatsServer {
  /** host:port, the same after every start. */
  readonly address: string;
  /** Of the running process. */
  readonly pid: number;
  /** Its store. */
  readonly folder: string;
  /** Ends it as a power cut of the process would. */
  kill(): Promise<void>;
  /** Asks it to end. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and store; `config` replaces its configuration. */
  start(config?: string): Promise<void>;
  /** Ends it and deletes its store. */
  close(): Promise<void>;
}

const START_MS = 30_000;
const KEPT_LINES = 20;

/** None outlives the tests. */
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** The program, or why tests of NATS are skipped. */
export function findNats(): { readonly program: string } | { readonly skip: string } {
  const script = join(projectRoot, "test", "brokers", "get-nats.mjs");
  const args = isRequired("nats") ? [script] : [script, "--find"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 ? { program: stdout.trim() } : { skip: skipReason("nats", stderr.trim()) };
}

/** Starts a server with JetStream and an empty store. `config`: further lines of its configuration file, as authorization or tls. */
export async function startNats(program: string, config = ""): Promise<NatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-nats-"));
  const configFile = join(folder, "server.conf");
  let running: ChildProcess | undefined;
  let address: string | undefined;

  async function start(lines = config): Promise<void> {
    await writeFile(configFile, `jetstream { store_dir: ${JSON.stringify(folder)} }\n${lines}\n`);
    const port = address?.split(":")[1] ?? String(await freePort());
    const child = spawn(program, ["-c", configFile, "-a", "127.0.0.1", "-p", port], { stdio: ["ignore", "ignore", "pipe"] });
    running = child;
    children.add(child);
    child.once("exit", () => children.delete(child));
    address = await listening(child, program);
  }

  async function end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  async function close(): Promise<void> {
    await end("SIGKILL");
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    get address() {
      return address ?? "";
    },
    get pid() {
      return running?.pid ?? -1;
    },
    folder,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    start,
    close,
  };
}

/** The address that it says it listens on, once it is ready. */
function listening(child: ChildProcess, program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    let address = "";
    const fail = (how: string) => reject(new Error(`${program} ${how}; it said:\n${said.join("\n")}`));
    const timer = setTimeout(() => fail(`is not ready after ${START_MS} ms`), START_MS);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code) => fail(`ended with exit code ${code}`));
    const { stderr } = child;
    if (!stderr) throw new Error("the server's standard error is not piped");
    createInterface({ input: stderr }).on("line", (line) => {
      said.push(line);
      if (said.length > KEPT_LINES) said.shift();
      address = /Listening for client connections on (\S+)/.exec(line)?.[1] ?? address;
      if (!line.includes("Server is ready")) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}
