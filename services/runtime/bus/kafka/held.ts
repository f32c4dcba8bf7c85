/** What a consumption holds: delivered, and neither acknowledged nor handed back. */
import type { Delivery } from "../bus.js";
import type { Read } from "./backlog.js";

export interface HeldOptions {
  readonly maxHeld: number;
  readonly maxHeldBytes: number;
  /** Resolves when Kafka knows that it is done. */
  readonly onAck: (read: Read) => Promise<void>;
  readonly onRetry: (read: Read, delayMs: number) => void;
}

export class HeldMessages {
  readonly #held = new Set<Read>();
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(private readonly options: HeldOptions) {}

  get size(): number {
    return this.#held.size;
  }

  /** There is always room for one. */
  hasRoomFor({ message }: Read): boolean {
    const { maxHeld, maxHeldBytes } = this.options;
    if (this.#held.size === 0) return true;
    return this.#held.size < maxHeld && this.#bytes + message.body.byteLength <= maxHeldBytes;
  }

  hold(read: Read): Delivery {
    this.#held.add(read);
    this.#bytes += read.message.body.byteLength;
    const { onAck, onRetry } = this.options;
    return {
      ...read.message,
      attempt: read.from.progress.deliver(read.offset),
      ack: async () => {
        if (this.#letGo(read)) await onAck(read);
      },
      retry: async (delayMs) => {
        if (this.#letGo(read)) onRetry(read, delayMs);
      },
    };
  }

  /** Resolves when nothing is held. */
  async empty(): Promise<void> {
    if (this.#held.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Lets go of all; settling one of them does nothing any more. */
  clear(): void {
    for (const read of [...this.#held]) this.#letGo(read);
  }

  #letGo(read: Read): boolean {
    if (!this.#held.delete(read)) return false;
    this.#bytes -= read.message.body.byteLength;
    if (this.#held.size === 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    }
    return true;
  }
}
