import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 5;

/** Repeats the assertions until they hold, at most `ms`; then throws what the last try threw. */
export async function eventuallyHolds(assertions: () => void | Promise<void>, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms;
  for (;;) {
    try {
      await assertions();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}
