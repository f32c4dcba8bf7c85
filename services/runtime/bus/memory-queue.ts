import type { ConsumeOptions, Delivery, OutgoingMessage } from "./bus.js";
import { FairQueue } from "./fair-queue.js";
import { Fifo, type FifoNode } from "./fifo.js";

/** What may wait in one queue before its publishers do. */
export interface MemoryBounds {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

interface Entry {
  readonly message: OutgoingMessage;
  /** How often it has been delivered. */
  attempts: number;
}

interface Publisher {
  readonly message: OutgoingMessage;
  readonly admitted: () => void;
}

interface Held {
  readonly entry: Entry;
  settled: boolean;
}

/** Deliveries in one turn of the event loop; sockets and timers get theirs in between. */
const DELIVERIES_PER_TURN = 256;

/** The longest delay that a timer of Node takes; a longer one would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * One work queue of the memory bus. The bounds count what waits, retries that wait for their time included, and not what consumers
 * hold: those bound themselves. Only publishers wait for room; what is handed back always has it, so it never blocks and is never lost.
 */
export class MemoryQueue {
  private readonly waiting = new FairQueue<Entry>();
  private readonly publishers = new Fifo<Publisher>();
  private readonly consumers = new Set<MemoryConsumer>();
  private readonly retryTimers = new Set<NodeJS.Timeout>();
  /** Bytes of what waits, retries included. */
  private bytes = 0;
  private held = 0;
  private turnScheduled = false;

  constructor(private readonly bounds: MemoryBounds) {}

  /** Messages that are not settled. Waiting publishers' are not in the queue yet. */
  get lag(): number {
    return this.waitingCount + this.held;
  }

  /** Takes the message now, or returns how to give up waiting; `admitted` is called when it was taken later. */
  offer(message: OutgoingMessage, admitted: () => void): (() => void) | undefined {
    if (this.publishers.size === 0 && this.hasRoom(message)) {
      this.add(message);
      return undefined;
    }
    const node: FifoNode<Publisher> = this.publishers.push({ message, admitted });
    return () => {
      this.publishers.remove(node);
      this.admitPublishers();
    };
  }

  attach(options: ConsumeOptions, deliver: (delivery: Delivery) => void): MemoryConsumer {
    const consumer = new MemoryConsumer(this, options, deliver);
    this.consumers.add(consumer);
    for (const timer of this.retryTimers) timer.ref();
    this.wake();
    return consumer;
  }

  detach(consumer: MemoryConsumer): void {
    this.consumers.delete(consumer);
    // Nobody is left to deliver to: that alone is no reason to keep the process alive.
    if (this.consumers.size === 0) for (const timer of this.retryTimers) timer.unref();
  }

  /** A consumer's message is done. */
  settled(): void {
    this.held--;
    this.wake();
  }

  /** A consumer hands messages back in the order it got them: they are the next of their keys. */
  handedBack(entries: readonly Entry[]): void {
    for (const entry of entries.toReversed()) {
      this.held--;
      this.bytes += entry.message.body.byteLength;
      this.waiting.unshift(entry.message.key, entry);
    }
    this.wake();
  }

  /** A consumer wants it delivered again, behind what waits then. */
  retried(entry: Entry, delayMs: number): void {
    this.held--;
    this.bytes += entry.message.body.byteLength;
    if (!(delayMs > 0)) {
      this.requeue(entry);
      return;
    }
    const timer = setTimeout(
      () => {
        this.retryTimers.delete(timer);
        this.requeue(entry);
      },
      Math.min(delayMs, MAX_DELAY_MS),
    );
    if (this.consumers.size === 0) timer.unref();
    this.retryTimers.add(timer);
    // The consumer that handed it back has room for another one.
    this.wake();
  }

  private get waitingCount(): number {
    return this.waiting.size + this.retryTimers.size;
  }

  /** A message that is larger than the whole bound passes when nothing waits: otherwise it never would. */
  private hasRoom(message: OutgoingMessage): boolean {
    if (this.waitingCount === 0) return true;
    return this.waitingCount < this.bounds.maxMessages && this.bytes + message.body.byteLength <= this.bounds.maxBytes;
  }

  private add(message: OutgoingMessage): void {
    this.bytes += message.body.byteLength;
    this.requeue({ message, attempts: 0 });
  }

  private requeue(entry: Entry): void {
    this.waiting.push(entry.message.key, entry);
    this.wake();
  }

  private admitPublishers(): void {
    for (let next = this.publishers.peek(); next && this.hasRoom(next.message); next = this.publishers.peek()) {
      this.publishers.shift();
      this.add(next.message);
      next.admitted();
    }
  }

  /** Deliveries happen in a turn of their own: never inside a publish, an ack, or the consume that starts them. */
  private wake(): void {
    if (this.turnScheduled || this.waiting.size === 0 || this.consumers.size === 0) return;
    this.turnScheduled = true;
    setImmediate(() => {
      this.turnScheduled = false;
      this.deliverWaiting();
    });
  }

  private deliverWaiting(): void {
    for (let delivered = 0; delivered < DELIVERIES_PER_TURN; delivered++) {
      const consumer = this.consumerForNext();
      const entry = consumer && this.waiting.shift();
      if (entry === undefined) return;
      this.bytes -= entry.message.body.byteLength;
      this.held++;
      this.admitPublishers();
      consumer?.take(entry);
    }
    this.wake();
  }

  /** The consumer with room for the next message whose last turn is longest ago. */
  private consumerForNext(): MemoryConsumer | undefined {
    const next = this.waiting.peek();
    if (next === undefined) return undefined;
    for (const consumer of this.consumers) {
      if (!consumer.hasRoomFor(next.message.body.byteLength)) continue;
      this.consumers.delete(consumer);
      this.consumers.add(consumer);
      return consumer;
    }
    return undefined;
  }
}

/** One consumption: what it holds, within its bounds. */
export class MemoryConsumer {
  private readonly held = new Set<Held>();
  private heldBytes = 0;

  constructor(
    private readonly queue: MemoryQueue,
    private readonly options: ConsumeOptions,
    private readonly deliver: (delivery: Delivery) => void,
  ) {}

  hasRoomFor(bytes: number): boolean {
    if (this.held.size === 0) return true;
    return this.held.size < this.options.maxHeld && this.heldBytes + bytes <= this.options.maxHeldBytes;
  }

  take(entry: Entry): void {
    const held: Held = { entry, settled: false };
    const { queue, key, id, headers, body } = entry.message;
    entry.attempts++;
    this.held.add(held);
    this.heldBytes += body.byteLength;
    this.deliver({
      queue,
      key,
      id,
      headers,
      body,
      attempt: entry.attempts,
      ack: async () => {
        if (this.letGo(held)) this.queue.settled();
      },
      retry: async (delayMs) => {
        if (this.letGo(held)) this.queue.retried(entry, delayMs);
      },
    });
  }

  stop(): void {
    this.queue.detach(this);
  }

  release(): void {
    this.stop();
    const unsettled = [...this.held];
    for (const held of unsettled) this.letGo(held);
    this.queue.handedBack(unsettled.map((held) => held.entry));
  }

  /** False when it was settled before. */
  private letGo(held: Held): boolean {
    if (held.settled) return false;
    held.settled = true;
    this.held.delete(held);
    this.heldBytes -= held.entry.message.body.byteLength;
    return true;
  }
}
