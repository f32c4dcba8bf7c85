/** Waiting for what is away. */

import { waitFor } from "../runtime/backoff.js";
import { describeError, Retry } from "../runtime/errors.js";
import { UserFailure } from "../runtime/gateway-calls.js";

/** Endless pauses, each twice as long as the one before up to the longest. */
export function* doubling(firstMs: number, longestMs: number): Generator<(signal: AbortSignal) => Promise<void>, never> {
  for (let ms = firstMs; ; ms = Math.min(ms * 2, longestMs)) yield (signal) => waitFor(ms, signal);
}

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
  for (const wait of doubling(patience.firstPause, patience.longestPause)) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof Retry) || signal.aborted) throw error;
      if (patience.now() - startedAt >= patience.giveUp) throw new UserFailure(describeError(error), { cause: error });
      patience.onRetry(error);
      await wait(signal);
    }
  }
  throw new Error("unreachable: the pauses are endless");
}
