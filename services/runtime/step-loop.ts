/**
 * The loop around a step: take a message, run the step, publish what it returned with derived ids, then ack. In this order, so that a
 * process killed anywhere leaves a message that is delivered again, and outputs that repeat under the same ids.
 */
import { setMaxListeners } from "node:events";
import type { Bus, Consumption, Delivery, OutgoingMessage } from "./bus/bus.js";
import { Outage, publishPatiently } from "./bus/publish-patiently.js";
import { describeError, Fatal, Reject, Retry } from "./errors.js";
import { inTime } from "./in-time.js";
import type { Logger } from "./log.js";
import { type Patience, withRetries } from "./retry.js";
import type { Step, StepInput, StepOutput } from "./step.js";

export interface StepLoopOptions {
  readonly bus: Bus;
  readonly queue: string;
  readonly step: Step;
  /** Messages worked on at once. At most twice as many are held (docs/delivery.md rule 14). */
  readonly concurrency: number;
  readonly maxHeldBytes: number;
  /** What a rejected message becomes; the loop knows no asset. Undefined: nothing can be made of it, it is logged and dropped. */
  readonly onReject: (input: StepInput, failure: { readonly code: string; readonly reason: string }) => readonly StepOutput[] | undefined;
  readonly log: Logger;
  readonly onFatal: (error: Error) => void;
  readonly patience?: Partial<Patience>;
}

export interface StepLoop {
  /** Stops taking messages, finishes those being worked on within `graceMs`, hands back the rest at once. Idempotent. */
  stop(graceMs: number): Promise<void>;
}

/** Rule 15: so many observed failures of the message itself reject it. */
const OBSERVED_FAILURES = 5;

const DEFAULT_PATIENCE: Patience = {
  failures: OBSERVED_FAILURES,
  deadlineMs: 120_000,
  firstDelayMs: 100,
  maxDelayMs: 5_000,
  inPlaceMs: 10_000,
};

/** Starts consuming `queue`. */
export async function runStepLoop(options: StepLoopOptions): Promise<StepLoop> {
  const { bus, queue, concurrency, log } = options;
  const patience = { ...DEFAULT_PATIENCE, ...options.patience };
  const step = withRetries(options.step, patience, log);
  const abort = new AbortController();
  // Every message being worked on and every output waiting for room listens to it; both are bounded.
  setMaxListeners(0, abort.signal);
  const waiting: Delivery[] = [];
  const working = new Set<Promise<void>>();
  /** Worked on and published. A broker takes its time to know, which keeps nobody from the next message. */
  const acknowledging = new Set<Promise<void>>();
  const handedBack = new HandedBack();
  const publish: Bus["publish"] = (message, signal) => bus.publish(message, signal);
  const outage = new Outage((reason) => log.warn({ queue, error: describeError(reason) }, "outputs can not be published; waiting"));
  let stopping: Promise<void> | undefined;

  const next = () => {
    while (!stopping && working.size < concurrency) {
      const delivery = waiting.shift();
      if (!delivery) return;
      const work = workOn(delivery).finally(() => {
        working.delete(work);
        next();
      });
      working.add(work);
    }
  };

  async function workOn(delivery: Delivery): Promise<void> {
    try {
      const outputs = await outputsOf(delivery);
      await Promise.all(outputs.map((output) => publishPatiently(publish, toMessage(delivery, output), patience, abort.signal, outage)));
    } catch (error) {
      await handBack(delivery, error);
      return;
    }
    const acknowledged = acknowledge(delivery).finally(() => acknowledging.delete(acknowledged));
    acknowledging.add(acknowledged);
  }

  async function acknowledge(delivery: Delivery): Promise<void> {
    try {
      await delivery.ack();
      handedBack.forget(delivery.id);
    } catch (error) {
      await handBack(delivery, error);
    }
  }

  async function handBack(delivery: Delivery, error: unknown): Promise<void> {
    if (abort.signal.aborted) return;
    if (error instanceof Fatal) {
      options.onFatal(error);
      return;
    }
    const { id, attempt } = delivery;
    log.warn({ queue, id, attempt, error: describeError(error) }, "handed a message back, to try again later");
    handedBack.count(id);
    await delivery.retry(patience.maxDelayMs).catch(() => undefined);
  }

  async function outputsOf(delivery: Delivery): Promise<readonly StepOutput[]> {
    try {
      return await step({ ...delivery, attempt: handedBack.attemptOf(delivery) }, abort.signal);
    } catch (error) {
      if (!(error instanceof Reject)) throw error;
      const outputs = options.onReject(delivery, { code: error.code, reason: error.message });
      if (outputs) return outputs;
      log.error({ queue, id: delivery.id, error: describeError(error) }, "dropped a message that can not be read");
      return [];
    }
  }

  const consumption: Consumption = await bus.consume(
    queue,
    { maxHeld: concurrency * 2, maxHeldBytes: options.maxHeldBytes, onFatal: options.onFatal },
    (delivery) => {
      waiting.push(delivery);
      next();
    },
  );

  async function drain(graceMs: number): Promise<void> {
    await consumption.stop();
    waiting.length = 0;
    const settled = async () => {
      await Promise.allSettled(working);
      await Promise.allSettled(acknowledging);
    };
    await inTime(settled(), graceMs);
    abort.abort(new Retry("the service is stopping"));
    await consumption.release();
    await settled();
  }

  return {
    stop(graceMs) {
      stopping ??= drain(graceMs);
      return stopping;
    },
  };
}

/** Deliveries that this loop asked for itself, because something outside was away: they say nothing against the message (rule 15). */
class HandedBack {
  readonly #times = new Map<string, number>();

  count(id: string): void {
    // Messages that others have settled since would stay for ever; forgetting them only costs an isolation.
    if (this.#times.size >= 10_000) this.#times.clear();
    this.#times.set(id, (this.#times.get(id) ?? 0) + 1);
  }

  forget(id: string): void {
    this.#times.delete(id);
  }

  attemptOf({ id, attempt }: Delivery): number {
    return Math.max(1, attempt - (this.#times.get(id) ?? 0));
  }
}

function toMessage(input: Delivery, { queue, suffix, body }: StepOutput): OutgoingMessage {
  return { queue, key: input.key, id: input.id + suffix, headers: {}, body };
}
