/**
 * Heavy steps run in worker threads: the main thread only moves bytes. The only import of piscina.
 *
 * A worker module's default export is a WorkerStep. It runs in a thread of the pool, or, isolated, in a process of its own: there even
 * a native crash takes nobody along, and counts as a failure of that message.
 */
import { Piscina } from "piscina";
import { roundOf } from "../../proto/pipeline.js";
import { Reject } from "./errors.js";
import { createIsolatedWorkers } from "./isolated.js";
import type { StepInput, StepOutput } from "./step.js";

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

/** docs/delivery.md rule 15. */
const SUSPECT_FROM_SIGHT = 3;

/**
 * Whether a message has been seen so often that it is worked on in a process of its own. Each round counts as a sight: on a bus that does
 * not outlive its process, a message that kills it comes back in the next round, as a new one.
 */
export function needsIsolation({ id, attempt }: Pick<StepInput, "id" | "attempt">): boolean {
  return attempt + roundOf(id) >= SUSPECT_FROM_SIGHT;
}

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
  const isolatedWorkers = createIsolatedWorkers(module, RESOURCE_LIMITS.maxOldGenerationSizeMb);
  return {
    async run(task, { isolated, signal }) {
      const result: WorkerResult = isolated
        ? await isolatedWorkers.run(task, signal)
        : await pool.run({ ...task, input: whole(task.input) }, { signal });
      if ("rejected" in result) throw new Reject(result.rejected.code, result.rejected.reason);
      return result.outputs;
    },
    close() {
      isolatedWorkers.close();
      return pool.destroy();
    },
  };
}

/** Between threads a view takes its whole buffer along, however small the view is. */
function whole(view: Uint8Array): Uint8Array {
  return view.byteLength === view.buffer.byteLength ? view : new Uint8Array(view);
}
