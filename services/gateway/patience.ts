/** Waiting for what is away. */

import { waitFor } from "../runtime/backoff.js";
import { describeError, Retry } from "../runtime/errors.js";
import { UserFailure } from "../runtime/gateway-calls.js";
import { retries } from "../runtime/telemetry/metrics.js";

const RUN_LATER = "It was tried again and again, in vain: press Run again later, or ask whoever runs the plugin.";

export interface Patience {
  readonly firstPause: number;
  readonly longestPause: number;
  readonly giveUp: number;
  readonly now: () => number;
  /** Called before each pause. */
  readonly onRetry: (error: Retry) => void;
}

/**
 * Tries until it works or fails for good. Only Retry is tried again.
 * @throws UserFailure when it has been away for `giveUp`.
 */
export async function patiently<T>(task: () => Promise<T>, patience: Patience, signal: AbortSignal): Promise<T> {
  const startedAt = patience.now();
  for (let pauseMs = patience.firstPause; ; pauseMs = Math.min(pauseMs * 2, patience.longestPause)) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof Retry) || signal.aborted) throw error;
      if (patience.now() - startedAt >= patience.giveUp) throw new UserFailure(`${describeError(error)} ${RUN_LATER}`, { cause: error });
      retries.add(1, { "maskline.stage": "hub" });
      patience.onRetry(error);
      await waitFor(pauseMs, signal);
    }
  }
}
