/**
 * Claim check: a body that is too large for the bus goes to the blob store, and the message carries its key. Wraps any bus; neither
 * publishers nor consumers notice. Blobs are deleted with their run, not with their message: it may be delivered again.
 */
import type { Blobs } from "../blob/blob.js";
import { splitBlobKey } from "../blob/key.js";
import { describeError, Fatal } from "../errors.js";
import type { Logger } from "../log.js";
import type { Bus, ConsumeOptions, Consumption, Delivery, OutgoingMessage } from "./bus.js";
import { Fifo } from "./fifo.js";

/** The blob's key, and its bytes in decimal. */
const BLOB = "blob";
const BLOB_BYTES = "blob-bytes";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/** Bodies up to so many bytes travel in the message: brokers take about 1 MB, headers and envelope included. */
export const DEFAULT_INLINE_BYTES = 256 * 2 ** 10;

export interface ClaimCheckOptions {
  readonly inlineBytes: number;
  readonly log: Logger;
}

/**
 * The bus with bodies over `inlineBytes` kept in `blobs`, under their message's id, which must be a blob key then. `maxHeldBytes` counts
 * them. A claimed message may overtake, or be overtaken by, others while its body is read.
 *
 * A body that the store no longer has is a gap, which a later round publishes again: its message is acked with a warning. While
 * the store fails, messages are retried; when it refuses for good, `onFatal` is told too.
 */
export function claimCheck(bus: Bus, blobs: Blobs, { inlineBytes, log }: ClaimCheckOptions): Bus {
  const readers = new Set<ClaimReader>();
  return {
    async publish(message, signal) {
      checkHeaders(message);
      if (message.body.byteLength <= inlineBytes) return bus.publish(message, signal);
      const key = blobKey(message.id);
      signal?.throwIfAborted();
      await unlessAborted(blobs.put(key, message.body), signal);
      const headers = { ...message.headers, [BLOB]: key, [BLOB_BYTES]: String(message.body.byteLength) };
      return bus.publish({ ...message, headers, body: new Uint8Array(0) }, signal);
    },

    async consume(queue, options, deliver): Promise<Consumption> {
      const reader = new ClaimReader(blobs, log, options, deliver);
      readers.add(reader);
      const consumption = await bus
        .consume(queue, options, (delivery) => reader.take(delivery))
        .catch((error: unknown) => {
          readers.delete(reader);
          throw error;
        });
      return {
        async stop() {
          await consumption.stop();
          await reader.stop();
        },
        async release() {
          readers.delete(reader);
          reader.stopForRelease();
          await consumption.release();
        },
      };
    },

    lag: (queue) => bus.lag(queue),
    ready: () => bus.ready(),

    async close() {
      for (const reader of readers) reader.stopForRelease();
      readers.clear();
      await bus.close();
    },
  };
}

function checkHeaders({ id, headers }: OutgoingMessage): void {
  if (BLOB in headers || BLOB_BYTES in headers) {
    throw new Fatal(`message ${id} has a header ${BLOB} or ${BLOB_BYTES}; these names belong to the claim check`);
  }
}

function blobKey(id: string): string {
  try {
    splitBlobKey(id);
    return id;
  } catch (error) {
    throw new Fatal(`message ${JSON.stringify(id)} is too large for the bus, and its id can not name a blob`, { cause: error });
  }
}

/** The work's result, or at once the signal's reason; the work itself goes on then. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let aborted: () => void = () => {};
  const abort = new Promise<never>((_, reject) => {
    aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
  });
  try {
    return await Promise.race([work, abort]);
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}

interface Arrival {
  readonly delivery: Delivery;
  readonly bytes: number;
  /** Undefined: the body is in the message. */
  readonly blobKey: string | undefined;
}

/**
 * Between the bus's deliveries and the consumer: reads the bodies, and holds messages back while more of them would pass `maxHeldBytes`,
 * which the bus itself, seeing empty bodies, can not know.
 */
class ClaimReader {
  /** Delivered by the bus, waiting for room. */
  private readonly arrivals = new Fifo<Arrival>();
  private held = 0;
  private heldBytes = 0;
  private stopped = false;
  private fatal = false;

  constructor(
    private readonly blobs: Blobs,
    private readonly log: Logger,
    private readonly options: ConsumeOptions,
    private readonly deliver: (delivery: Delivery) => void,
  ) {}

  take(delivery: Delivery): void {
    if (this.stopped) {
      void this.retry(delivery, 0);
      return;
    }
    const blobKey = delivery.headers[BLOB];
    const bytes = blobKey === undefined ? delivery.body.byteLength : sizeOf(delivery.headers[BLOB_BYTES]);
    this.arrivals.push({ delivery, bytes, blobKey });
    this.admit();
  }

  /** Hands back at once what the consumer has not seen; what it holds stays its own. */
  async stop(): Promise<void> {
    this.stopped = true;
    const handedBack: Promise<void>[] = [];
    for (let next = this.arrivals.shift(); next; next = this.arrivals.shift()) handedBack.push(this.retry(next.delivery, 0));
    await Promise.all(handedBack);
  }

  /** The bus hands everything back itself. */
  stopForRelease(): void {
    this.stopped = true;
    while (this.arrivals.shift());
  }

  private admit(): void {
    for (let next = this.arrivals.peek(); next && this.hasRoomFor(next.bytes); next = this.arrivals.peek()) {
      this.arrivals.shift();
      this.held++;
      this.heldBytes += next.bytes;
      const letGo = this.letGoOnce(next.bytes);
      if (next.blobKey === undefined) this.hand(next.delivery, next.delivery.headers, next.delivery.body, letGo);
      else void this.readAndHand(next, next.blobKey, letGo);
    }
  }

  private hasRoomFor(bytes: number): boolean {
    return this.held === 0 || this.heldBytes + bytes <= this.options.maxHeldBytes;
  }

  private letGoOnce(bytes: number): () => void {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.held--;
      this.heldBytes -= bytes;
      this.admit();
    };
  }

  private async readAndHand({ delivery, bytes }: Arrival, key: string, letGo: () => void): Promise<void> {
    const body = await this.read(key, bytes, delivery);
    if (this.stopped) await this.retry(delivery, 0);
    else if (body === "missing") await this.skip(delivery);
    else if (body === "failed") await this.retry(delivery, retryDelay(delivery.attempt));
    else {
      const { [BLOB]: _, [BLOB_BYTES]: __, ...headers } = delivery.headers;
      this.hand(delivery, headers, body, letGo);
      return;
    }
    letGo();
  }

  private async read(key: string, bytes: number, { id, queue }: Delivery): Promise<Uint8Array | "missing" | "failed"> {
    try {
      const body = await this.blobs.get(key);
      if (body?.byteLength === bytes) return body;
      const found = body === undefined ? "is not in the blob store" : `has ${body.byteLength} bytes instead of ${bytes}`;
      this.log.warn({ id, queue, blob: key }, `The body of a message ${found}; the message is dropped and its asset published again later`);
      return "missing";
    } catch (error) {
      this.log.warn({ id, queue, blob: key, error: describeError(error) }, "The body of a message can not be read; it is tried again");
      if (error instanceof Fatal && !this.fatal) {
        this.fatal = true;
        this.options.onFatal(error);
      }
      return "failed";
    }
  }

  private hand(delivery: Delivery, headers: Delivery["headers"], body: Uint8Array, letGo: () => void): void {
    const { queue, key, id, attempt } = delivery;
    this.deliver({
      queue,
      key,
      id,
      headers,
      body,
      attempt,
      ack: () => delivery.ack().finally(letGo),
      retry: (delayMs) => delivery.retry(delayMs).finally(letGo),
    });
  }

  private async skip(delivery: Delivery): Promise<void> {
    await delivery.ack().catch((error: unknown) => this.logUnsettled(delivery, error));
  }

  private async retry(delivery: Delivery, delayMs: number): Promise<void> {
    await delivery.retry(delayMs).catch((error: unknown) => this.logUnsettled(delivery, error));
  }

  /** No loss: the broker delivers an unsettled message again. */
  private logUnsettled({ id, queue }: Delivery, error: unknown): void {
    this.log.warn({ id, queue, error: describeError(error) }, "A message could not be settled; it comes again");
  }
}

/** A size that is none never fits the blob, which is missing then. */
function sizeOf(header: string | undefined): number {
  return /^\d{1,15}$/.test(header ?? "") ? Number(header) : 0;
}

/** 0.5 s, doubled with every delivery, 30 s at the most. */
function retryDelay(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
}
