/** The partitions that a consumption has taken, and where it goes on in each. */
import { randomBytes } from "node:crypto";
import type { Taken } from "./backlog.js";
import type { Position } from "./client.js";
import { decodeNote, finishedIn } from "./note.js";
import { Progress } from "./progress.js";

export interface TakenAgain {
  /** All of them; each is to be committed, which tells others that it was taken. */
  readonly taken: readonly Taken[];
  /** Read already up to an offset, which is not the committed one. */
  readonly readOn: readonly Taken[];
}

export class Partitions {
  readonly #taken = new Map<number, Taken>();
  /** Nobody else has it: whose last commit it stands in has gone on from there alone. */
  readonly #taker = randomBytes(8).toString("hex");

  /** @param onLost told once of each that is not ours any more */
  constructor(private readonly onLost: (partition: Taken) => void) {}

  all(): readonly Taken[] {
    return [...this.#taken.values()];
  }

  /**
   * The partition that messages are read of, from `first` on. One that has less than was read is another one, of a topic that was deleted and
   * made anew: what is known of the old one's offsets says nothing of its messages.
   */
  reading(id: number, { first, high }: { readonly first: number; readonly high: number }): Taken | undefined {
    const before = this.#taken.get(id);
    if (!before || before.progress.readTo <= high) return before;
    this.#lose(before);
    return this.#begin(id, new Progress(first, this.#taker));
  }

  /** Only these may still be ours. */
  keep(ids: readonly number[]): void {
    for (const partition of this.all()) if (!ids.includes(partition.id)) this.#lose(partition);
  }

  /** These are ours: those that nobody took in between go on as they were. */
  take(ids: readonly number[], positions: readonly Position[]): TakenAgain {
    const readOn: Taken[] = [];
    const taken = ids.map((id) => {
      const position = positions.find(({ partition }) => partition === id) ?? NOWHERE;
      const before = this.#taken.get(id);
      // Less than was read: the topic was deleted, and is another one now.
      if (before && decodeNote(position.note)?.taker === this.#taker && before.progress.readTo <= position.high) {
        if (before.progress.readTo !== position.committed) readOn.push(before);
        return before;
      }
      if (before) this.#lose(before);
      return this.#begin(id, beginning(position, this.#taker));
    });
    return { taken, readOn };
  }

  #begin(id: number, progress: Progress): Taken {
    const partition: Taken = { id, progress, isLost: false, committed: undefined };
    this.#taken.set(id, partition);
    return partition;
  }

  #lose(partition: Taken): void {
    this.#taken.delete(partition.id);
    partition.isLost = true;
    this.onLost(partition);
  }
}

const NOWHERE: Pick<Position, "low" | "high" | "committed" | "note"> = { low: 0, high: 0, committed: undefined, note: null };

/** Messages of the partition that are not finished, as Kafka knows it. */
export function unsettled({ low, high, committed, note }: Omit<Position, "partition">): number {
  // Committed before the topic was deleted, or deleted by age since.
  if (committed === undefined || committed < low || committed > high) return high - low;
  return Math.max(0, high - committed - finishedIn(decodeNote(note)?.stretches ?? []));
}

function beginning({ low, high, committed, note }: Omit<Position, "partition">, taker: string): Progress {
  if (committed === undefined || committed > high) return new Progress(low, taker);
  const progress = new Progress(committed, taker, decodeNote(note)?.stretches);
  progress.skip(low);
  return progress;
}
