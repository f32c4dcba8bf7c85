/** A service that takes the messages of one queue and works on each in a worker. */
import type { Platform, Service } from "./service.js";
import { runStepLoop, type StepLoopOptions } from "./step-loop.js";
import { observedStep } from "./telemetry/observed-step.js";
import { createWorkers, needsIsolation, type WorkerTask } from "./workers.js";

export interface WorkerServiceOptions {
  readonly queue: string;
  /** Its default export is a WorkerStep. */
  readonly module: URL;
  /** Worker threads. */
  readonly concurrency: number;
  /** What a worker must know beside a message of this key. Undefined: the message is of no use any more, and is dropped. */
  readonly sharedFor: (key: string) => Promise<Shared | undefined>;
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
  const workers = createWorkers(module, concurrency);
  const loop = await runStepLoop({
    bus,
    queue,
    step: observedStep(queue, async (input, signal) => {
      const shared = await sharedFor(input.key);
      return shared ? workers.run({ input: input.body, ...shared }, { isolated: needsIsolation(input), signal }) : [];
    }),
    concurrency,
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
