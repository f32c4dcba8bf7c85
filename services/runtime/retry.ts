/** Retries around a step: outages are waited for and never count; failures of the message itself are counted, then rejected. */
import { waitFor } from "./backoff.js";
import { describeError, Fatal, Reject, Retry } from "./errors.js";
import type { Logger } from "./log.js";
import type { Step } from "./step.js";

export interface Patience {
  /** Observed failures that reject the message. */
  readonly failures: number;
  /** One try may take so long; longer is a failure of the message. */
  readonly deadlineMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** An outage is waited for in place so long, then the message is handed back (the loop sees the Retry). */
  readonly inPlaceMs: number;
}

/** The step, tried again after passing faults. What it throws in the end is Retry, Reject or Fatal, or the signal's reason. */
export function withRetries(step: Step, patience: Patience, log: Logger): Step {
  return async (input, signal) => {
    const startedAt = performance.now();
    let failures = 0;
    for (let delayMs = patience.firstDelayMs; ; delayMs = Math.min(delayMs * 2, patience.maxDelayMs)) {
      try {
        return await withDeadline(step, patience.deadlineMs)(input, signal);
      } catch (error) {
        if (signal.aborted || error instanceof Reject || error instanceof Fatal) throw error;
        if (error instanceof Retry) {
          if (performance.now() - startedAt > patience.inPlaceMs) throw error;
        } else {
          failures += 1;
          log.warn({ id: input.id, failures, error: describeError(error) }, "a step failed on a message");
          if (failures >= patience.failures) {
            throw new Reject("failed", `working on it failed ${failures} times, last with: ${describeError(error)}`, { cause: error });
          }
        }
        await waitFor(delayMs, signal);
      }
    }
  };
}

/** The step, aborted after `deadlineMs`: then it throws a plain error, a failure of the message. */
function withDeadline(step: Step, deadlineMs: number): Step {
  return async (input, signal) => {
    const deadline = new AbortController();
    const forward = () => deadline.abort(signal.reason);
    const late = new Error(`it took longer than ${deadlineMs / 1000} s`);
    const timer = setTimeout(() => deadline.abort(late), deadlineMs);
    signal.addEventListener("abort", forward, { once: true });
    try {
      return await step(input, deadline.signal);
    } catch (error) {
      throw deadline.signal.reason === late ? late : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", forward);
    }
  };
}
