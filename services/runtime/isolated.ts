/** A worker module in processes of its own, for workers.ts: there even a native crash takes nobody along. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Retry } from "./errors.js";
import type { WorkerResult, WorkerTask } from "./workers.js";

/** What isolated-host.ts answers to a task. */
export type HostAnswer = { readonly result: WorkerResult } | { readonly failure: string };

export interface IsolatedWorkers {
  /** @throws Error when the step threw or its process died; Retry when none can be started. Aborting ends the process. */
  run(task: WorkerTask, signal: AbortSignal): Promise<WorkerResult>;
  /** Ends the processes. */
  close(): void;
}

const HOST = fileURLToPath(new URL("./isolated-host.js", import.meta.url));

/** A process that lived through its task takes the next one, for starting it costs more than most tasks. So long it waits for one. */
const IDLE_MS = 10_000;

/**
 * A process has one task at a time, so its death tells of that task.
 * @param heapMb of each process: without a bound the kernel would choose who dies for a task that wants too much
 */
export function createIsolatedWorkers(module: URL, heapMb: number): IsolatedWorkers {
  const alive = new Set<ChildProcess>();
  const idle = new Map<ChildProcess, NodeJS.Timeout>();

  function takeIdle(): ChildProcess | undefined {
    for (const [child, timer] of idle) {
      clearTimeout(timer);
      idle.delete(child);
      if (child.connected) return child;
      alive.delete(child);
    }
    return undefined;
  }

  function keepIdle(child: ChildProcess): void {
    const tooLong = () => {
      idle.delete(child);
      end(child);
    };
    idle.set(child, setTimeout(tooLong, IDLE_MS).unref());
  }

  function end(child: ChildProcess): void {
    alive.delete(child);
    child.kill("SIGKILL");
  }

  return {
    async run(task, signal) {
      signal.throwIfAborted();
      const child = takeIdle() ?? start(module, heapMb);
      alive.add(child);
      const answer = await ask(child, task, signal).catch((error: unknown) => {
        end(child);
        throw child.pid === undefined ? notStarted(error) : error;
      });
      keepIdle(child);
      if ("failure" in answer) throw new Error(answer.failure);
      return answer.result;
    },
    close() {
      for (const child of alive) end(child);
    },
  };
}

function start(module: URL, heapMb: number): ChildProcess {
  // Our own environment holds secrets; a worker needs nothing of it.
  const env = { TMPDIR: tmpdir() };
  try {
    const child = fork(HOST, [module.href], { serialization: "advanced", env, execArgv: [`--max-old-space-size=${heapMb}`] });
    // A process that can not be started or reached says so more than once. Whoever waits for its answer hears the first time.
    return child.on("error", () => undefined);
  } catch (error) {
    throw notStarted(error);
  }
}

function notStarted(cause: unknown): Retry {
  return new Retry("a process for an isolated task can not be started", { cause });
}

async function ask(child: ChildProcess, task: WorkerTask, signal: AbortSignal): Promise<HostAnswer> {
  const over = new AbortController();
  const until = { signal: AbortSignal.any([signal, over.signal]) };
  try {
    child.send({ ...task, ...(task.shared ? { shared: new Uint8Array(task.shared) } : {}) });
    return await Promise.race([
      once(child, "message", until).then(([answer]: HostAnswer[]) => answer as HostAnswer),
      once(child, "exit", until).then(([code, killedBy]) => {
        throw new Error(`the isolated worker ended without a result (${killedBy ?? `code ${code}`})`);
      }),
    ]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    over.abort();
  }
}
