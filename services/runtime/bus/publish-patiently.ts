/** Publishing that waits for a bus, or a blob store behind it, that is away: it is no failure, and no work is done again for it. */
import { type BackoffBounds, waitFor } from "../backoff.js";
import { Retry } from "../errors.js";
import type { Bus, OutgoingMessage } from "./bus.js";

/** What the messages of one publisher wait for. It is told once, however many wait and however often each is tried. */
export class Outage {
  readonly #waiting = new Map<OutgoingMessage, Retry>();

  /** @param onBegin told why, when the first message has to wait; again only after none has waited any more */
  constructor(private readonly onBegin: (reason: Retry) => void) {}

  /** Why messages wait now; undefined: none does. */
  get reason(): Retry | undefined {
    return this.#waiting.values().next().value;
  }

  waits(message: OutgoingMessage, reason: Retry): void {
    if (this.#waiting.size === 0) this.onBegin(reason);
    this.#waiting.set(message, reason);
  }

  /** The message is published, or given up. */
  over(message: OutgoingMessage): void {
    this.#waiting.delete(message);
  }
}

/**
 * Publishes the message; tries again as long as the bus answers Retry, with pauses that double up to the longest.
 * @throws whatever else publishing throws, Fatal included; the signal's reason when aborted.
 */
export async function publishPatiently(
  publish: Bus["publish"],
  message: OutgoingMessage,
  { firstDelayMs, maxDelayMs }: BackoffBounds,
  signal: AbortSignal,
  outage: Outage,
): Promise<void> {
  try {
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
      try {
        return await publish(message, signal);
      } catch (error) {
        if (!(error instanceof Retry) || signal.aborted) throw error;
        outage.waits(message, error);
      }
      await waitFor(delayMs, signal);
    }
  } finally {
    outage.over(message);
  }
}
