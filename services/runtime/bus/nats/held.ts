/** What a consumption holds: delivered, and neither acknowledged nor handed back. */
import type { Msg } from "@nats-io/transport-node";
import type { Delivery } from "../bus.js";
import { keyIn } from "./names.js";

const NANOS_PER_MS = 1_000_000;
const ID_HEADER = "Nats-Msg-Id";

export interface HeldMessage {
  /** Where the server listens for what becomes of it. */
  readonly reply: string;
  readonly bytes: number;
  readonly heldSince: number;
  /** Its stream was deleted: what is said of it now would be taken for another message. */
  orphaned: boolean;
}

/** What the server is told (NATS' JetStream wire API reference, "ACK"). */
export const WORKING = "+WPI";
export const HANDED_BACK = "-NAK";
const DONE = "+ACK";

export class HeldMessages {
  readonly #held = new Set<HeldMessage>();
  #bytes = 0;

  /**
   * @param tell resolves when the server knows
   * @param onRoom called when there is room for another one
   */
  constructor(
    private readonly queue: string,
    private readonly tell: (message: HeldMessage, what: string) => Promise<void>,
    private readonly onRoom: () => void,
  ) {}

  get size(): number {
    return this.#held.size;
  }

  /** Of bodies. */
  get bytes(): number {
    return this.#bytes;
  }

  hold({ subject, headers, data, reply = "" }: Msg): Delivery {
    const held: HeldMessage = { reply, bytes: data.byteLength, heldSince: performance.now(), orphaned: false };
    this.#held.add(held);
    this.#bytes += held.bytes;
    const own: Record<string, string> = {};
    for (const [name, [value]] of headers ?? []) if (name !== ID_HEADER && value !== undefined) own[name] = value;
    return {
      queue: this.queue,
      key: keyIn(subject),
      id: headers?.get(ID_HEADER) ?? "",
      headers: own,
      body: data,
      attempt: deliveryCount(reply),
      ack: () => this.#settle(held, DONE),
      retry: (delayMs) => this.#settle(held, handedBack(delayMs)),
    };
  }

  /** Those that have been held for so long. */
  *heldFor(ms: number): Iterable<HeldMessage> {
    const since = performance.now() - ms;
    for (const held of this.#held) if (held.heldSince <= since) yield held;
  }

  /** Nothing that is said of them reaches the server any more; they count as held until they are settled. */
  orphan(): void {
    for (const held of this.#held) held.orphaned = true;
  }

  /** Lets go of all; settling one of them does nothing any more. */
  takeAll(): readonly HeldMessage[] {
    const all = [...this.#held];
    this.#held.clear();
    this.#bytes = 0;
    return all;
  }

  async #settle(held: HeldMessage, what: string): Promise<void> {
    if (!this.#held.delete(held)) return;
    this.#bytes -= held.bytes;
    const told = this.tell(held, what);
    this.onRoom();
    await told;
  }
}

function handedBack(delayMs: number): string {
  return delayMs > 0 ? `${HANDED_BACK} ${JSON.stringify({ delay: Math.round(delayMs * NANOS_PER_MS) })}` : HANDED_BACK;
}

/** From `$JS.ACK[.domain.account].stream.consumer.deliveries.stream-seq.consumer-seq.time.pending[.token]`. */
function deliveryCount(reply: string): number {
  const tokens = reply.split(".");
  const count = Number(tokens[tokens.length === 9 ? 4 : 6]);
  return Number.isInteger(count) && count > 0 ? count : 1;
}
