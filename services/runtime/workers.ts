/**
 * Heavy steps run in worker threads: the main thread only moves bytes. The only import of piscina.
 *
 * A worker module's default export is a WorkerStep. It runs in a thread of the pool, or, isolated, in a process of its own: there even
 * a native crash takes nobody along, and counts as a failure of that message.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { Reject } from "./errors.js";
import type { StepOutput } from "./step.js";

/** What crosses to a worker. `shared` (a SharedArrayBuffer view) may be kept by the worker under `sharedKey`. */
export interface WorkerTask {
  readonly input: Uint8Array;
  readonly sharedKey?: string;
  readonly shared?: Uint8Array;
}

/** Errors lose their class between threads, so a rejection is a value. */
export type WorkerResult =
  | { readonly outputs: readonly StepOutput[] }
  | { readonly rejected: { readonly code: string; readonly reason: string } };

export type WorkerStep = (task: WorkerTask) => Promise<WorkerResult> | WorkerResult;

export interface Workers {
  /** @throws Reject as the step said it; Error when the step threw, or its worker died. Aborting ends the worker. */
  run(task: WorkerTask, options: { readonly isolated: boolean; readonly signal: AbortSignal }): Promise<readonly StepOutput[]>;
  close(): Promise<void>;
}

const ISOLATED_HOST = new URL("./isolated-host.js", import.meta.url);

/**
 * Of one thread. A small young generation keeps many threads small; with V8's own choice each would grow with the work it has seen. Whoever
 * exceeds the old generation loses the thread and not the process: a failure of that message.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 512 };

/** A pool of `threads` workers that run the module's default export. */
export function createWorkers(module: URL, threads: number): Workers {
  const pool = new Piscina({
    filename: module.href,
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: 30_000,
    atomics: "async",
    resourceLimits: RESOURCE_LIMITS,
  });
  return {
    async run(task, { isolated, signal }) {
      const result: WorkerResult = isolated
        ? await runIsolated(module, task, signal)
        : await pool.run({ ...task, input: whole(task.input) }, { signal });
      if ("rejected" in result) throw new Reject(result.rejected.code, result.rejected.reason);
      return result.outputs;
    },
    close: () => pool.destroy(),
  };
}

/** Between threads a view takes its whole buffer along, however small the view is. */
function whole(view: Uint8Array): Uint8Array {
  return view.byteLength === view.buffer.byteLength ? view : new Uint8Array(view);
}

function runIsolated(module: URL, task: WorkerTask, signal: AbortSignal): Promise<WorkerResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(ISOLATED_HOST), [module.href], { serialization: "advanced", signal, execArgv: [] });
    child.once("message", (message: { result: WorkerResult } | { failure: string }) => {
      if ("failure" in message) reject(new Error(message.failure));
      else resolve(message.result);
      child.disconnect();
    });
    child.once("error", reject);
    child.once("exit", (code, killedBy) => reject(new Error(`the isolated worker ended without a result (${killedBy ?? `code ${code}`})`)));
    child.send({ ...task, ...(task.shared ? { shared: new Uint8Array(task.shared) } : {}) });
  });
}
