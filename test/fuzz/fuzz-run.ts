/** One stretch of fuzzing in a worker thread with a bound on its memory, watched for mutants that never end. */
import { tmpdir } from "node:os";
import { Worker } from "node:worker_threads";
import { describeError } from "../../services/runtime/errors.js";
import type { StreamName } from "./streams.js";
import type { Tally } from "./tally.js";

export interface FuzzTask {
  readonly stream: StreamName;
  readonly seed: number;
  /** Mutants `from` to `end`, not included. */
  readonly from: number;
  readonly end: number;
  /** Holds the number of the mutant that is being tried. */
  readonly beats: SharedArrayBuffer;
}

export interface FuzzResult {
  readonly tally: Tally;
  /** Resident memory of the whole process at the end. */
  readonly peakBytes: number;
}

/** A mutant takes milliseconds; a machine that is busy with other things is not what is looked for. */
const HANGS_AFTER_MS = 20_000;
const LOOK_EVERY_MS = 500;
/** Far more than rows and images of these sizes need. */
const MEMORY_MB = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };

/** @throws Error that names the mutant that broke a promise, hung, or filled the memory. */
export async function fuzzStretch(task: Omit<FuzzTask, "beats">): Promise<FuzzResult> {
  const beats = new SharedArrayBuffer(4);
  const beat = new Int32Array(beats);
  const { stream, seed } = task;
  const mutant = () => `${stream}/${Atomics.load(beat, 0)} of seed ${seed}`;
  const worker = new Worker(new URL("./fuzz-worker.js", import.meta.url), {
    workerData: { ...task, beats } satisfies FuzzTask,
    env: { TMPDIR: tmpdir() },
    resourceLimits: MEMORY_MB,
  });
  let last = -1;
  let since = performance.now();
  let watch: NodeJS.Timeout | undefined;
  try {
    return await new Promise<FuzzResult>((resolve, reject) => {
      watch = setInterval(() => {
        const now = Atomics.load(beat, 0);
        if (now !== last) [last, since] = [now, performance.now()];
        else if (performance.now() - since > HANGS_AFTER_MS) reject(new Error(`mutant ${mutant()} does not end`));
      }, LOOK_EVERY_MS);
      worker.once("message", resolve);
      worker.once("error", (cause) => reject(new Error(`fuzzing failed at mutant ${mutant()}: ${describeError(cause)}`, { cause })));
      worker.once("exit", (code) => reject(new Error(`fuzzing ended with code ${code} at mutant ${mutant()}`)));
    });
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
