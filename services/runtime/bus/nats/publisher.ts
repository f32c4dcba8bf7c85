/** Publishing to JetStream: derived ids, a bounded window, and a full stream that is waited for in place. */
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { type MsgHdrs, headers as newHeaders } from "@nats-io/transport-node";
import { backoffDelay, waitFor } from "../../backoff.js";
import { describeError, Fatal, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import { createSlots, type Slots } from "../../slots.js";
import type { OutgoingMessage } from "../bus.js";
import { checkQueueName } from "../queue-name.js";
import { unlessAborted } from "../unless-aborted.js";
import { natsFailure } from "./failures.js";
import type { Link } from "./link.js";
import { firstWord, subjectOf } from "./names.js";
import type { Streams } from "./streams.js";

/** Unanswered at once: more is not faster. */
const WINDOW = 64;
const ANSWER_MS = 5_000;
/** Tries under the same id before a publisher is told to come again. */
const TRIES = 3;
const PAUSE_BETWEEN_TRIES_MS = 100;
/** Between two looks whether a full stream has room: a random time up to these. */
const FULL_PAUSES = { firstDelayMs: 20, maxDelayMs: 400 };
const LOG_FULL_EVERY_MS = 60_000;
/** Names that NATS gives a meaning to. */
const RESERVED_HEADER = /^nats-/i;

interface Line {
  readonly slots: Slots;
  size: number;
}

export class Publisher {
  readonly #jetstream: JetStreamClient;
  readonly #window = createSlots(WINDOW);
  /** Where a stream or key is full, its publishers line up, and only the first one asks again. */
  readonly #lines = new Map<string, Line>();
  readonly #pending = new Set<AbortController>();
  #toldFullAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly link: Link,
    private readonly streams: Streams,
    private readonly prefix: string,
    private readonly log: Logger,
  ) {
    this.#jetstream = jetstream(link.nc);
  }

  /** As the port says. */
  async publish(message: OutgoingMessage, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    checkQueueName(message.queue);
    const headers = headersOf(message);
    const subject = subjectOf(this.prefix, message.queue, message.key);
    this.#checkLink();
    const giveUp = new AbortController();
    const forward = () => giveUp.abort(signal?.reason);
    signal?.addEventListener("abort", forward, { once: true });
    this.#pending.add(giveUp);
    try {
      const attempt = () => this.#attempt(message, subject, headers, giveUp.signal);
      if (this.#lines.has(subject) || !(await attempt())) await this.#inLine(subject, attempt, giveUp.signal);
    } finally {
      this.#pending.delete(giveUp);
      signal?.removeEventListener("abort", forward);
    }
  }

  /** Every publish that is under way rejects with the reason. */
  interrupt(reason: Error): void {
    for (const giveUp of this.#pending) giveUp.abort(reason);
  }

  async #inLine(subject: string, attempt: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const line = this.#lines.get(subject) ?? { slots: createSlots(1), size: 0 };
    this.#lines.set(subject, line);
    line.size += 1;
    try {
      await line.slots.within(async () => {
        for (let tries = 1; !(await attempt()); tries += 1) {
          this.#tellFull(subject);
          await waitFor(backoffDelay(tries, FULL_PAUSES), signal);
        }
      }, signal);
    } finally {
      line.size -= 1;
      if (line.size === 0) this.#lines.delete(subject);
    }
  }

  /** Whether JetStream took it; false: there is no room. */
  async #attempt({ queue, id, body }: OutgoingMessage, subject: string, headers: MsgHdrs, signal: AbortSignal): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#window.within(async () => {
          await unlessAborted(this.streams.stream(firstWord(queue)), signal);
          await unlessAborted(this.#jetstream.publish(subject, body, { msgID: id, headers, timeout: ANSWER_MS }), signal);
        }, signal);
        return true;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (error instanceof Fatal || error instanceof Retry) throw error;
        const failure = natsFailure(error);
        if (failure === "full") return false;
        if (failure === "tooLarge") throw this.#tooLarge(id, body, error);
        if (failure === "permission") {
          throw new Fatal(`NATS does not let this user publish to ${subject}; allow it ${this.prefix}.> and $JS.API.>`, { cause: error });
        }
        if (failure === "missing") this.streams.forget();
        if (tries >= TRIES) throw new Retry(`NATS did not take a message for ${subject}`, { cause: error });
        this.log.debug({ id, tries, error: describeError(error) }, "NATS did not take a message; trying again under the same id");
        if (failure !== "timeout") await waitFor(PAUSE_BETWEEN_TRIES_MS * tries, signal);
      }
    }
  }

  #checkLink(): void {
    if (this.link.failure) throw this.link.failure;
    if (!this.link.up) throw new Retry("NATS is away");
  }

  #tooLarge(id: string, body: Uint8Array, cause: unknown): Fatal {
    const limit = this.link.nc.info?.max_payload ?? "unknown";
    return new Fatal(
      `message ${id} of ${body.byteLength} bytes and its headers are more than the NATS server takes (max_payload ${limit}); raise it there`,
      { cause },
    );
  }

  #tellFull(subject: string): void {
    const now = performance.now();
    if (now - this.#toldFullAt < LOG_FULL_EVERY_MS) return;
    this.#toldFullAt = now;
    this.log.info({ subject }, "NATS has no room for now; publishers wait for consumers");
  }
}

/** @throws Fatal for what would not arrive as it was sent. */
function headersOf({ id, headers }: OutgoingMessage): MsgHdrs {
  if (id === "" || id !== id.trim() || /[\r\n]/.test(id)) throw new Fatal(`${JSON.stringify(id)} is no id that NATS could carry`);
  const encoded = newHeaders();
  for (const [name, value] of Object.entries(headers)) {
    if (RESERVED_HEADER.test(name) || !/^[!-9;-~]+$/.test(name) || /[\r\n]/.test(value) || value !== value.trim()) {
      throw new Fatal(`message ${id} has a header that NATS could not carry: ${JSON.stringify(name)}`);
    }
    encoded.set(name, value);
  }
  return encoded;
}
