/** Bounded retries with exponential backoff and full jitter, for calls over a network. */
import { setTimeout as sleep } from "node:timers/promises";

export interface BackoffBounds {
  /** Upper bound of the first wait; it doubles with each further one... */
  readonly firstDelayMs: number;
  /** ...up to this. */
  readonly maxDelayMs: number;
}

export interface RetryPolicy extends BackoffBounds {
  /** How often the operation is tried in all, from 1. */
  readonly attempts: number;
  /** Whether another try may succeed; `afterMs`: not before that (a server's `Retry-After`). */
  readonly isPassing: (error: unknown) => boolean | { readonly afterMs: number };
  /** Told before each wait. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
  /** In [0, 1); replaced in tests. */
  readonly random?: () => number;
}

/** However long a server asks us to wait, we come again after this. */
const MAX_ASKED_DELAY_MS = 120_000;

/** A random wait in milliseconds before try `attempt` + 1, from 0 to the doubled bound (full jitter spreads those who failed together). */
export function backoffDelay(attempt: number, { firstDelayMs, maxDelayMs }: BackoffBounds, random: () => number = Math.random): number {
  return Math.round(random() * Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 30)));
}

/**
 * Runs the operation until it succeeds, fails for good, or has been tried `attempts` times; then its last error is thrown. Rejects with
 * the signal's reason when aborted, also in a wait.
 */
export async function retrying<T>(operation: (attempt: number) => Promise<T>, policy: RetryPolicy, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const passing = policy.isPassing(error);
      if (passing === false || attempt >= policy.attempts) throw error;
      const askedMs = passing === true ? 0 : Math.min(passing.afterMs, MAX_ASKED_DELAY_MS);
      const delayMs = Math.max(askedMs, backoffDelay(attempt, policy, policy.random));
      policy.onRetry?.(error, attempt, delayMs);
      await waitFor(delayMs, signal);
    }
  }
}

/** Waits; rejects with the signal's reason when aborted. Keeps the process alive. */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}
