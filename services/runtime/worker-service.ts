/** A service that takes the messages of one queue and works on each in a worker. */
import type { Platform, Service } from "./service.js";
import { createSlots } from "./slots.js";
import type { StepInput, StepOutput } from "./step.js";
import { runStepLoop, type StepLoopOptions } from "./step-loop.js";
import { observedStep } from "./telemetry/observed-step.js";
import { createWorkers, needsIsolation, type WorkerTask } from "./workers.js";

/** Gives a worker a body to work on; rejects as Workers.run does. */
export type Work = (body: Uint8Array) => Promise<readonly StepOutput[]>;

export interface WorkerServiceOptions {
  readonly queue: string;
  /** Its default export is a WorkerStep. */
  readonly module: URL;
  /** Worker threads. */
  readonly concurrency: number;
  /** What a worker must know beside a message of this key. Undefined: the message is of no use any more, and is dropped. */
  readonly sharedFor: (key: string) => Promise<Shared | undefined>;
  /** The step around the workers, where it also waits for something outside; without it a worker is given the message's body, once. */
  readonly around?: (input: StepInput, work: Work, signal: AbortSignal) => Promise<readonly StepOutput[]>;
  /** Messages worked on at once, where they wait for more than their worker; without it as many as there are workers. */
  readonly stepsAtOnce?: number;
  readonly onReject: StepLoopOptions["onReject"];
  /** How long stopping may take. */
  readonly drainMs: number;
}

type Shared = Required<Pick<WorkerTask, "shared" | "sharedKey">>;

/** Messages that wait for a worker, in bytes; one alone may be larger. */
const MAX_HELD_BYTES = 32 * 2 ** 20;

/** Consumes the queue until the service is stopped. */
export async function startWorkerService({ bus, log, onFatal }: Platform, options: WorkerServiceOptions): Promise<Service> {
  const { queue, module, concurrency, sharedFor, onReject, drainMs } = options;
  const { around = (input, work) => work(input.body), stepsAtOnce = concurrency } = options;
  const workers = createWorkers(module, concurrency);
  // Each suspect message has a process of its own.
  const processes = createSlots(concurrency);
  const loop = await runStepLoop({
    bus,
    queue,
    step: observedStep(queue, async (input, signal) => {
      const shared = await sharedFor(input.key);
      if (!shared) return [];
      const isolated = needsIsolation(input);
      const run: Work = (body) => workers.run({ input: body, ...shared }, { isolated, signal });
      return around(input, isolated ? (body) => processes.within(() => run(body), signal) : run, signal);
    }),
    concurrency: stepsAtOnce,
    maxHeldBytes: MAX_HELD_BYTES,
    onReject,
    log,
    onFatal,
  });

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await loop.stop(drainMs);
    await workers.close();
  };
  return {
    notReady: () => (bus.ready() ? undefined : "the bus is away"),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
