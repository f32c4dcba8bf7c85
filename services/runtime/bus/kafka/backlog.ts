/** What a consumption has read and not delivered: runs take turns, and what is about to be delivered is told to Kafka first. */
import type { OutgoingMessage } from "../bus.js";
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
/** Announced of each run, however many there are. */
const LEAST_SHARE = 4;
/** A timer's longest time. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Of one run. */
interface Lane {
  readonly key: string;
  readonly waiting: Fifo<Read>;
  /** Announced: Kafka is told of their delivery, or knows already. */
  readonly next: Fifo<Read>;
}

export class Backlog {
  /** In the order of their turns; none is empty. */
  readonly #lanes = new Map<string, Lane>();
  readonly #postponed = new Map<Read, NodeJS.Timeout>();
  /** That wait, and that are announced. */
  #waiting = 0;
  #next = 0;
  #bytes = 0;
  #postponedBytes = 0;

  /** @param maxNext announced at once; @param onReady called when something that was postponed can be delivered */
  constructor(
    private readonly maxNext: number,
    private readonly onReady: () => void,
  ) {}

  get isFull(): boolean {
    return this.#waiting >= FULL_MESSAGES || this.#bytes >= FULL_BYTES || this.#postponedBytes >= FULL_POSTPONED_BYTES;
  }

  add(read: Read): void {
    this.#bytes += read.message.body.byteLength;
    this.#waiting += 1;
    this.#lane(read).waiting.push(read);
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

  /**
   * Announces what comes next, of each run its share: a small one need not wait until what is announced of a large one is delivered.
   * @returns the partitions whose next commit tells more than the last
   */
  announce(): Set<Taken> {
    const told = new Set<Taken>();
    if (this.#waiting === 0) return told;
    const share = Math.max(LEAST_SHARE, Math.floor(this.maxNext / this.#lanes.size));
    for (const lane of [...this.#lanes.values()]) {
      while (lane.next.size < share) {
        const read = lane.waiting.shift();
        if (!read) break;
        this.#waiting -= 1;
        if (read.from.isLost) {
          this.#bytes -= read.message.body.byteLength;
          continue;
        }
        read.from.progress.announce(read.offset);
        lane.next.push(read);
        this.#next += 1;
        told.add(read.from);
      }
      this.#dropEmpty(lane);
    }
    return told;
  }

  /** Whether a run has nothing that may be delivered before Kafka is told more. */
  get isUntold(): boolean {
    for (const lane of this.#lanes.values()) if (lane.next.size > 0 && !this.#covered(lane)) return true;
    return false;
  }

  /** Takes what is to be delivered now, if `hasRoom` for it: of the first run in turn of which Kafka knows something. */
  shift(hasRoom: (read: Read) => boolean): Read | undefined {
    for (const lane of this.#lanes.values()) {
      const read = this.#covered(lane);
      if (!read) continue;
      if (!hasRoom(read)) return undefined;
      this.#take(lane);
      this.#lanes.delete(lane.key);
      if (lane.waiting.size + lane.next.size > 0) this.#lanes.set(lane.key, lane);
      return read;
    }
    return undefined;
  }

  /** What was announced waits again. */
  withdraw(): void {
    for (const lane of this.#lanes.values()) {
      for (const read of [...drained(lane.next)].reverse()) {
        read.from.progress.withdraw(read.offset);
        lane.waiting.unshift(read);
      }
    }
    this.#waiting += this.#next;
    this.#next = 0;
  }

  /** Drops everything. */
  clear(): void {
    this.withdraw();
    this.#lanes.clear();
    for (const timer of this.#postponed.values()) clearTimeout(timer);
    this.#postponed.clear();
    this.#waiting = 0;
    this.#bytes = 0;
    this.#postponedBytes = 0;
  }

  /** The next of a run, if it may be delivered. Those that are not ours any more are dropped. */
  #covered(lane: Lane): Read | undefined {
    for (let read = lane.next.peek(); read; read = lane.next.peek()) {
      if (!read.from.isLost) return read.from.progress.isCovered(read.offset) ? read : undefined;
      this.#take(lane);
    }
    this.#dropEmpty(lane);
    return undefined;
  }

  #take(lane: Lane): void {
    const read = lane.next.shift();
    if (!read) return;
    this.#next -= 1;
    this.#bytes -= read.message.body.byteLength;
  }

  #unshift(read: Read): void {
    this.#bytes += read.message.body.byteLength;
    this.#waiting += 1;
    this.#lane(read).waiting.unshift(read);
  }

  #lane({ message: { key } }: Read): Lane {
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane: Lane = { key, waiting: new Fifo(), next: new Fifo() };
    this.#lanes.set(key, lane);
    return lane;
  }

  #dropEmpty(lane: Lane): void {
    if (lane.waiting.size + lane.next.size === 0) this.#lanes.delete(lane.key);
  }
}

function* drained(fifo: Fifo<Read>): Generator<Read> {
  for (let read = fifo.shift(); read; read = fifo.shift()) yield read;
}
