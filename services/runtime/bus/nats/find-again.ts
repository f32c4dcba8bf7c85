import { backoffDelay, waitFor } from "../../backoff.js";
import { describeError, Fatal } from "../../errors.js";
import type { Logger } from "../../log.js";
import { unlessAborted } from "../unless-aborted.js";
import { natsFailure } from "./failures.js";
import type { Link } from "./link.js";
import type { QueueConsumer, Streams } from "./streams.js";

const PAUSES = { firstDelayMs: 200, maxDelayMs: 5_000 };

/** What is looked for again and again at once would keep the server busy. */
const PAUSE_AGAIN_MS = 250;

/**
 * Looks for a queue's consumer after an outage until it is found, or made anew.
 * @param isAgain it was looked for a moment ago
 * @throws Fatal when it can not be consumed any more; the signal's reason when aborted.
 */
export async function findAgain(
  { link, streams, queue, log }: { readonly link: Link; readonly streams: Streams; readonly queue: string; readonly log: Logger },
  { isAgain, signal }: { readonly isAgain: boolean; readonly signal: AbortSignal },
): Promise<QueueConsumer> {
  if (isAgain) await waitFor(PAUSE_AGAIN_MS, signal);
  for (let tries = 1; ; tries += 1) {
    try {
      await unlessAborted(link.whenUp(), signal);
      return await streams.look(queue);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof Fatal) throw error;
      if (natsFailure(error) === "permission") throw notAllowed(queue, error);
      if (link.failure) throw link.failure;
      if (link.up) log.warn({ queue, error: describeError(error) }, "a NATS queue can not be consumed now; trying again");
    }
    await waitFor(50 + backoffDelay(tries, PAUSES), signal);
  }
}

/** NATS refuses to deliver. */
export function notAllowed(queue: string, cause: unknown): Fatal {
  const isDenied = natsFailure(cause) === "permission";
  const advice = isDenied ? "; allow its user to subscribe to _INBOX.> and to publish to $JS.API.> and $JS.ACK.>" : "";
  return new Fatal(`NATS does not let this process consume ${queue}${advice}`, { cause });
}
