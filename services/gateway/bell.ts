/** A bell that wakes whoever waits: look at the state, and if it is not what you need, wait for the next ring. */
export interface Bell {
  /** Wakes all who wait now. */
  ring(): void;
  /** Resolves at the next ring or after `timeoutMs`; rejects with the signal's reason when aborted. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const wake of [...waiting]) wake();
    },
    next(timeoutMs, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const leave = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", abort);
        };
        const wake = () => {
          leave();
          resolve();
        };
        const abort = () => {
          leave();
          reject(signal.reason);
        };
        const timer = setTimeout(wake, timeoutMs);
        waiting.add(wake);
        signal.addEventListener("abort", abort, { once: true });
      });
    },
  };
}
