/**
 * Asks a JetStream consumer for messages, one request at a time, and tells what becomes of each request. The client's own `consume` asks
 * again as soon as messages arrive; a work queue asks when it has room, so that what one process holds is never more than its bound.
 * Source of the protocol: NATS' JetStream wire API reference, "CONSUMER.MSG.NEXT", and the statuses that nats-server sends.
 */
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";

const NANOS_PER_MS = 1_000_000;
/** A request waits so long for messages, and is then asked anew. */
const EXPIRES_MS = 30_000;
/** The server shows so often that it still knows the request. */
const HEARTBEAT_MS = 3_000;
/** Without a sign for so long, it has forgotten it. */
const SILENCE_MS = 2.5 * HEARTBEAT_MS;
/** More at once would make the server drop the connection of a slow reader (its limit is 64 MiB). */
const MAX_REQUEST_BYTES = 8_000_000;

/**
 * Why a request is over. `tooLarge`: the next message has more bytes than were asked for. `gone`: the consumer or its stream is not
 * there. `busy`: the server can not serve it now.
 */
export type RequestEnd = "served" | "tooLarge" | "gone" | "busy";

export interface PullHandlers {
  readonly onMessage: (message: Msg) => void;
  readonly onEnd: (end: RequestEnd, description: string) => void;
  /** The inbox is of no more use: access was withdrawn, or the server does not understand the request. */
  readonly onRefused: (error: Error) => void;
}

interface OpenRequest {
  readonly subject: string;
  left: number;
  bytesLeft: number;
  received: number;
}

export class PullInbox {
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #nextSubject: string;
  #request: OpenRequest | undefined;
  #serial = 0;
  #heardAt = performance.now();
  #closed = false;

  constructor(
    private readonly nc: NatsConnection,
    { stream, durable }: { readonly stream: string; readonly durable: string },
    private readonly handlers: PullHandlers,
  ) {
    this.#nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`;
    this.#subscription = nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) this.#refuse(error);
        else this.#arrived(message);
      },
    });
  }

  get isAsking(): boolean {
    return this.#request !== undefined;
  }

  /** The server seems to have forgotten the request. */
  get isSilent(): boolean {
    return this.#request !== undefined && performance.now() - this.#heardAt > SILENCE_MS;
  }

  /** Permission to ask was withdrawn. */
  concerns(subject: string): boolean {
    return subject === this.#nextSubject;
  }

  /** @param maxBytes undefined: one message of any size, whatever `batch` is. */
  ask(batch: number, maxBytes: number | undefined): void {
    this.#serial += 1;
    const subject = `${this.#inbox}.${this.#serial}`;
    const size = maxBytes === undefined ? { batch: 1 } : { batch, max_bytes: Math.min(maxBytes, MAX_REQUEST_BYTES) };
    this.#request = { subject, left: size.batch, bytesLeft: size.max_bytes ?? Number.POSITIVE_INFINITY, received: 0 };
    this.#heardAt = performance.now();
    const times = { expires: EXPIRES_MS * NANOS_PER_MS, idle_heartbeat: HEARTBEAT_MS * NANOS_PER_MS };
    this.nc.publish(this.#nextSubject, JSON.stringify({ ...size, ...times }), { reply: subject });
  }

  /** Asks no more. What is on its way still arrives until the promise resolves. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#request = undefined;
    await this.#subscription.drain().catch(() => undefined);
  }

  #arrived(message: Msg): void {
    this.#heardAt = performance.now();
    if (message.subject.startsWith(this.#inbox)) this.#status(message);
    else this.#served(message);
  }

  #served(message: Msg): void {
    const request = this.#request;
    if (request) {
      request.left -= 1;
      request.received += 1;
      // As the server counts: subject, reply, headers and body.
      request.bytesLeft -= sizeOnTheWire(message);
    }
    this.handlers.onMessage(message);
    if (request && request === this.#request && (request.left <= 0 || request.bytesLeft <= 0)) this.#end("served", "");
  }

  #status({ subject, headers }: Msg): void {
    if (subject !== this.#request?.subject) return;
    const description = headers?.description ?? "";
    switch (headers?.code) {
      case 100:
        return;
      case 400:
        this.#refuse(new Error(`NATS refuses to deliver: ${description}`));
        return;
      case 408:
        this.#end("served", description);
        return;
      case 409:
        this.#end(endOf409(description, this.#request.received), description);
        return;
      case 503:
        this.#end("gone", "nobody answers");
        return;
      default:
        this.#end("busy", `${headers?.code} ${description}`);
    }
  }

  #end(end: RequestEnd, description: string): void {
    this.#request = undefined;
    if (!this.#closed) this.handlers.onEnd(end, description);
  }

  #refuse(error: Error): void {
    this.#request = undefined;
    if (!this.#closed) this.handlers.onRefused(error);
  }
}

/** 409 says many things; a size that was filled by what came before is no obstacle. */
function endOf409(description: string, received: number): RequestEnd {
  if (/maxbytes/i.test(description)) return received > 0 ? "served" : "tooLarge";
  return /deleted/i.test(description) ? "gone" : "busy";
}

function sizeOnTheWire(message: Msg): number {
  return (message as Msg & { size(): number }).size();
}
