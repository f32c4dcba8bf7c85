/** Publishing: what is published at the same time goes together, in requests of bounded size; a full queue is waited for in place. */
import { setMaxListeners } from "node:events";
import { waitFor } from "../../backoff.js";
import { describeError, Fatal, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import type { OutgoingMessage } from "../bus.js";
import { unlessAborted } from "../unless-aborted.js";
import { kafkaFailure } from "./failures.js";
import type { KafkaConfig } from "./keys.js";
import type { Link } from "./link.js";
import { topicName } from "./names.js";
import { type KafkaRecord, recordBytes, toRecord } from "./record.js";
import { createRoom, type Room } from "./room.js";
import { notAllowed, type Topics } from "./topics.js";

/** Of one request: the broker refuses batches over 1 MiB, and kafkajs makes one of all it is given for a partition. */
const CHUNK_BYTES = 512 * 1024;
/** Requests under way at once, of a topic. */
const WINDOW = 4;
/** Tries before a publisher is told to come again. */
const TRIES = 4;
const PAUSE_BETWEEN_TRIES_MS = 100;
const LOG_FULL_EVERY_MS = 60_000;

interface Pending {
  readonly record: KafkaRecord;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Line {
  readonly queue: string;
  readonly room: Room;
  readonly pending: Pending[];
  sending: number;
  scheduled: boolean;
}

export class Publisher {
  readonly #lines = new Map<string, Line>();
  readonly #publishing = new Set<AbortController>();
  readonly #interrupted = new AbortController();
  #toldFullAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly link: Link,
    private readonly topics: Topics,
    private readonly config: KafkaConfig,
    private readonly lag: (queue: string) => Promise<number>,
    private readonly log: Logger,
  ) {
    setMaxListeners(0, this.#interrupted.signal);
  }

  /** As the port says. */
  async publish(message: OutgoingMessage, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    topicName(this.config.kafkaPrefix, message.queue);
    const record = toRecord(message);
    this.#interrupted.signal.throwIfAborted();
    void this.link.client;
    const line = this.#line(message.queue);
    const giveUp = new AbortController();
    const forward = () => giveUp.abort(signal?.reason);
    signal?.addEventListener("abort", forward, { once: true });
    this.#publishing.add(giveUp);
    try {
      await line.room.take(giveUp.signal);
      const sent = new Promise<void>((resolve, reject) => {
        line.pending.push({ record, bytes: recordBytes(record), resolve, reject });
      });
      this.#schedule(line);
      await unlessAborted(sent, giveUp.signal);
    } finally {
      this.#publishing.delete(giveUp);
      signal?.removeEventListener("abort", forward);
    }
  }

  /** Every publish that is under way, or comes later, rejects with the reason. */
  interrupt(reason: Error): void {
    this.#interrupted.abort(reason);
    for (const giveUp of this.#publishing) giveUp.abort(reason);
  }

  #line(queue: string): Line {
    const known = this.#lines.get(queue);
    if (known) return known;
    const lag = () => unlessAborted(this.lag(queue), this.#interrupted.signal);
    const room = createRoom(this.config.kafkaQueueMessages, lag, () => this.#tellFull(queue));
    const line: Line = { queue, room, pending: [], sending: 0, scheduled: false };
    this.#lines.set(queue, line);
    return line;
  }

  /** In the next turn of the event loop, so that what is published together goes together. */
  #schedule(line: Line): void {
    if (line.scheduled) return;
    line.scheduled = true;
    setImmediate(() => {
      line.scheduled = false;
      while (line.sending < WINDOW && line.pending.length > 0) {
        line.sending += 1;
        void this.#send(line.queue, nextChunk(line.pending)).finally(() => {
          line.sending -= 1;
          if (line.pending.length > 0) this.#schedule(line);
        });
      }
    });
  }

  async #send(queue: string, chunk: readonly Pending[]): Promise<void> {
    try {
      await this.#sendPatiently(
        queue,
        chunk.map(({ record }) => record),
      );
      for (const { resolve } of chunk) resolve();
    } catch (error) {
      for (const { reject } of chunk) reject(error);
    }
  }

  async #sendPatiently(queue: string, records: readonly KafkaRecord[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const { client } = this.link;
        const topic = await this.topics.ensure(queue, client);
        await client.send(topic, records);
        return;
      } catch (error) {
        if (error instanceof Fatal || error instanceof Retry) throw error;
        const failure = kafkaFailure(error);
        if (failure === "tooLarge") throw tooLarge(records, error);
        if (failure === "permission") throw notAllowed(this.config, `the queue ${queue}`, error);
        if (failure === "missing") {
          this.topics.forget();
          this.link.renew();
        } else this.link.suspect();
        if (tries >= TRIES) throw new Retry(`Kafka did not take a message for ${queue}`, { cause: error });
        this.log.debug({ queue, tries, error: describeError(error) }, "Kafka did not take messages; trying again under the same ids");
        await waitFor(PAUSE_BETWEEN_TRIES_MS * tries, this.#interrupted.signal);
      }
    }
  }

  #tellFull(queue: string): void {
    if (performance.now() - this.#toldFullAt < LOG_FULL_EVERY_MS) return;
    this.#toldFullAt = performance.now();
    this.log.info({ queue, limit: this.config.kafkaQueueMessages }, "a queue is full; its publishers wait");
  }
}

/** Takes at least one. */
function nextChunk(pending: Pending[]): readonly Pending[] {
  let [count, bytes] = [0, 0];
  for (const one of pending) {
    bytes += one.bytes;
    if (count > 0 && bytes > CHUNK_BYTES) break;
    count += 1;
  }
  return pending.splice(0, count);
}

function tooLarge(records: readonly KafkaRecord[], cause: unknown): Fatal {
  const largest = Math.max(...records.map(recordBytes));
  return new Fatal(
    `a message of ${largest} bytes is over what Kafka takes: max.message.bytes of the topic (1 MiB), or message.max.bytes of the brokers`,
    { cause },
  );
}
