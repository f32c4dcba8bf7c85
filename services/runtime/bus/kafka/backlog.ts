/** What a consumption has read and not delivered: runs take turns, and what is about to be delivered is told to Kafka first. */
import type { OutgoingMessage } from "../bus.js";
import { FairQueue } from "../fair-queue.js";
import { Fifo } from "../fifo.js";
import type { Progress } from "./progress.js";

/** A partition that this process has taken. */
export interface Taken {
  readonly id: number;
  readonly progress: Progress;
  /** It is another one's now, or was deleted: nothing more is said of its messages. */
  isLost: boolean;
  /** Kafka has it that everything below is finished. */
  committed: number | undefined;
}

export interface Read {
  readonly from: Taken;
  readonly offset: number;
  readonly message: OutgoingMessage;
}

/** Above this, nothing more is read: enough to find the small runs among the large ones. */
const FULL_MESSAGES = 1_000;
const FULL_BYTES = 4 * 2 ** 20;
/** Of what waits for its retry, which is kept in memory as well. */
const FULL_POSTPONED_BYTES = 32 * 2 ** 20;
/** A timer's longest time. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Backlog {
  readonly #waiting = new FairQueue<Read>();
  /** Announced, in the order in which it will be delivered. */
  readonly #next = new Fifo<Read>();
  readonly #postponed = new Map<Read, NodeJS.Timeout>();
  #bytes = 0;
  #postponedBytes = 0;

  /** @param maxNext announced at once; @param onReady called when something that was postponed can be delivered */
  constructor(
    private readonly maxNext: number,
    private readonly onReady: () => void,
  ) {}

  get isFull(): boolean {
    const { size } = this.#waiting;
    return size >= FULL_MESSAGES || this.#bytes >= FULL_BYTES || this.#postponedBytes >= FULL_POSTPONED_BYTES;
  }

  add(read: Read): void {
    this.#bytes += read.message.body.byteLength;
    this.#waiting.push(read.message.key, read);
  }

  /** Before the others of its run, but not at once. */
  postpone(read: Read, ms: number): void {
    const bytes = read.message.body.byteLength;
    this.#postponedBytes += bytes;
    const again = () => {
      this.#postponed.delete(read);
      this.#postponedBytes -= bytes;
      this.#unshift(read);
      this.onReady();
    };
    this.#postponed.set(read, setTimeout(again, Math.min(ms, MAX_TIMER_MS)));
  }

  /** Announces what comes next. @returns the partitions whose next commit tells more than the last */
  announce(): Set<Taken> {
    const told = new Set<Taken>();
    while (this.#next.size < this.maxNext) {
      const read = this.#waiting.shift();
      if (!read) break;
      if (read.from.isLost) {
        this.#bytes -= read.message.body.byteLength;
        continue;
      }
      read.from.progress.announce(read.offset);
      this.#next.push(read);
      told.add(read.from);
    }
    return told;
  }

  /** What can be delivered now: Kafka knows of it. */
  peek(): Read | undefined {
    for (let read = this.#next.peek(); read; read = this.#next.peek()) {
      if (!read.from.isLost) return read.from.progress.isCovered(read.offset) ? read : undefined;
      this.shift();
    }
    return undefined;
  }

  shift(): void {
    const read = this.#next.shift();
    if (read) this.#bytes -= read.message.body.byteLength;
  }

  /** What was announced waits again. */
  withdraw(): void {
    for (const read of [...drained(this.#next)].reverse()) {
      read.from.progress.withdraw(read.offset);
      this.#waiting.unshift(read.message.key, read);
    }
  }

  /** Drops everything. */
  clear(): void {
    this.withdraw();
    while (this.#waiting.shift());
    for (const timer of this.#postponed.values()) clearTimeout(timer);
    this.#postponed.clear();
    this.#bytes = 0;
    this.#postponedBytes = 0;
  }

  #unshift(read: Read): void {
    this.#bytes += read.message.body.byteLength;
    this.#waiting.unshift(read.message.key, read);
  }
}

function* drained(fifo: Fifo<Read>): Generator<Read> {
  for (let read = fifo.shift(); read; read = fifo.shift()) yield read;
}
