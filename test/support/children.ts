/** Child processes of the demo, tests and benchmarks: started with this Node, read line by line, ended by their own id. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Child {
  readonly pid: number;
  /** Writes a line to its standard input. */
  send(line: string): void;
  /** Rejects as soon as it has ended, with the last lines of what it said; never resolves. */
  readonly ended: Promise<never>;
  /** Resolves when it has ended: its exit code, or undefined when a signal ended it. Rejects when it could not be started. */
  readonly exitCode: Promise<number | undefined>;
  /** Asks it to end, and ends it after 10 s if it has not. */
  stop(): Promise<void>;
  /** Ends it at once with SIGKILL, whatever it is doing. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  /** What it is called in messages. */
  readonly name: string;
  readonly script: URL;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLine?: (line: string) => void;
  /** Told the lines of its standard error, which is where services log. */
  readonly onLog?: (line: string) => void;
}

const KEPT_LINES = 15;
const STOP_MS = 10_000;

/** None outlives this process. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export function startChild({ name, script, args, env, onLine = () => undefined, onLog }: ChildOptions): Child {
  const child = spawn(process.execPath, [fileURLToPath(script), ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", onLine);
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    onLog?.(line);
    if (said.length > KEPT_LINES) said.shift();
  });
  // It may end before it has read everything; its end is reported by `ended`.
  child.stdin.on("error", () => undefined);
  const ended = new Promise<never>((_, reject) => {
    const fail = (how: string) => reject(new Error(`${name} ${how}${said.length > 0 ? `; it said:\n${said.join("\n")}` : ""}`));
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("close", (code, signal) => fail(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
  });
  const exitCode = new Promise<number | undefined>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? undefined));
  });
  // Whoever races it sees the rejection; after the demo's end nobody does.
  ended.catch(() => undefined);
  exitCode.catch(() => undefined);
  return {
    send: (line) => child.stdin.write(`${line}\n`),
    ended,
    exitCode,
    stop: () => end(child, "SIGTERM"),
    kill: () => end(child, "SIGKILL"),
    pid: child.pid ?? -1,
  };
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}
