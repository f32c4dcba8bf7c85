/** Telling the server what became of a message, across outages. */
import { setMaxListeners } from "node:events";
import { describeError, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import { unlessAborted } from "../unless-aborted.js";
import type { HeldMessage } from "./held.js";
import type { Link } from "./link.js";

export class Receipts {
  readonly #ended = new AbortController();

  /** @param settled while it pends, it is not known whether the server's messages are still the ones that are held */
  constructor(
    private readonly link: Link,
    private readonly unsettled: () => Promise<void> | undefined,
    private readonly log: Logger,
  ) {
    // Every message listens to it while its receipt is on the way.
    setMaxListeners(0, this.#ended.signal);
  }

  /**
   * Resolves when the server has read it, or when the message is not its any more. Lost with the connection, it is said again on the
   * next one: the server knows a message by its number, whoever acknowledges it.
   * @throws Retry when the connection is gone for good; the reason when `end` was called before.
   */
  async tell(message: HeldMessage, what: string): Promise<void> {
    for (;;) {
      for (let waiting = this.unsettled(); waiting; waiting = this.unsettled()) await unlessAborted(waiting, this.#ended.signal);
      if (message.orphaned) return;
      if (this.link.failure) throw new Retry("what became of a message can not be told", { cause: this.link.failure });
      if (this.link.up) {
        this.say(message.reply, what);
        try {
          await this.link.flush();
          return;
        } catch {
          // Lost on the way.
        }
      }
      await unlessAborted(this.link.whenUp(), this.#ended.signal);
    }
  }

  /** Without waiting for anything. */
  say(reply: string, what: string): void {
    try {
      this.link.nc.publish(reply, what);
    } catch (error) {
      this.log.debug({ error: describeError(error) }, "NATS could not be told of a message; it comes again");
    }
  }

  /** Whoever waits for the server is told not to. */
  end(reason: Error): void {
    this.#ended.abort(reason);
  }
}
