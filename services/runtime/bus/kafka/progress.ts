/** Which messages of one partition are finished, and how often the others were delivered. Decides; others commit. */
import { encodeNote, type Fate, type Stretch } from "./note.js";

/** Brokers take 4,096 bytes (offset.metadata.max.bytes) unless told otherwise. */
const MAX_NOTE_LENGTH = 3_500;

interface Unfinished {
  /** How often it was delivered, by whomever. */
  delivered: number;
  /** It is about to be delivered once more: the next commit says that it was. */
  announced: boolean;
  /** How often it was delivered, as Kafka knows it. */
  kept: number;
}

export interface Commit {
  /** The lowest unfinished offset. */
  readonly offset: number;
  readonly note: string;
  /** To be called when Kafka has it. */
  readonly onKept: () => void;
}

/**
 * A partition as one taker of it sees it. What is not in `#unfinished` is finished below `#end`, and unknown from there on. A message is
 * delivered only when Kafka has it that it was (`announce`, commit, `isCovered`): so a process that it kills leaves the count behind.
 */
export class Progress {
  /** In order of their offsets. */
  readonly #unfinished = new Map<number, Unfinished>();
  #readTo: number;
  #end: number;

  /** @param start the committed offset, or the first there is; @param known of the messages from there on */
  constructor(
    start: number,
    readonly taker: string,
    known: readonly Stretch[] = [],
  ) {
    this.#readTo = start;
    this.#end = start;
    for (const { fate, length } of known) {
      if (fate === "done") this.#end += length;
      else for (let count = 0; count < length; count++, this.#end++) this.#add(this.#end, fate);
    }
  }

  /** The next offset to read. */
  get readTo(): number {
    return this.#readTo;
  }

  /** The lowest unfinished offset. */
  get base(): number {
    return this.#unfinished.keys().next().value ?? this.#end;
  }

  /**
   * Takes note of a message that was read.
   * @returns false when it was read or finished before
   */
  read(offset: number): boolean {
    if (offset < this.#readTo) return false;
    this.skip(offset);
    this.#readTo = offset + 1;
    if (offset < this.#end) return this.#unfinished.has(offset);
    this.#add(offset, 0);
    this.#end = offset + 1;
    return true;
  }

  /** What was not read below is not there any more: the broker deleted it. */
  skip(to: number): void {
    if (to <= this.#readTo) return;
    for (const offset of this.#unfinished.keys()) {
      if (offset >= to) break;
      if (offset >= this.#readTo) this.#unfinished.delete(offset);
    }
    this.#readTo = to;
    this.#end = Math.max(this.#end, to);
  }

  announce(offset: number): void {
    const message = this.#unfinished.get(offset);
    if (message) message.announced = true;
  }

  /** It will not be delivered now. */
  withdraw(offset: number): void {
    const message = this.#unfinished.get(offset);
    if (message) message.announced = false;
  }

  /** Whether the message may be delivered (once more): Kafka knows. */
  isCovered(offset: number): boolean {
    const message = this.#unfinished.get(offset);
    return message !== undefined && message.kept > message.delivered;
  }

  /** @returns how often it has been delivered now */
  deliver(offset: number): number {
    const message = this.#unfinished.get(offset);
    if (!message) return 1;
    message.announced = false;
    message.delivered += 1;
    return message.delivered;
  }

  finish(offset: number): void {
    this.#unfinished.delete(offset);
  }

  /** What Kafka is to keep now. */
  commit(): Commit {
    const counts: (readonly [Unfinished, number])[] = [];
    const stretches: Stretch[] = [];
    const add = (fate: Fate, length: number) => {
      const last = stretches.at(-1);
      if (last?.fate === fate) stretches[stretches.length - 1] = { fate, length: last.length + length };
      else if (length > 0) stretches.push({ fate, length });
    };
    const { base } = this;
    let next = base;
    for (const [offset, message] of this.#unfinished) {
      const count = message.delivered + (message.announced ? 1 : 0);
      if (count !== message.kept) counts.push([message, count]);
      add("done", offset - next);
      add(count, 1);
      next = offset + 1;
    }
    add("done", this.#end - next);
    return {
      offset: base,
      note: encodeNote({ taker: this.taker, stretches }, MAX_NOTE_LENGTH),
      onKept: () => {
        for (const [message, count] of counts) message.kept = count;
      },
    };
  }

  #add(offset: number, delivered: number): void {
    this.#unfinished.set(offset, { delivered, announced: false, kept: delivered });
  }
}
