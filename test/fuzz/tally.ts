/** What a fuzzing run came to: how often each kind of end was met, and the longest that one mutant took. */

export interface Tally {
  readonly mutants: number;
  /** By kind, such as `masks`, `skipped not_labeled`, `rejected no_size`, `dropped unknown class`. */
  readonly ends: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly slowest: number;
}

/** Told the number of each mutant before it is tried. */
export type Heartbeat = (mutant: number) => void;

export class Ends {
  readonly #ends = new Map<string, number>();
  #slowestMs = 0;
  #slowest = 0;
  #mutants = 0;

  add(kind: string): void {
    this.#ends.set(kind, (this.#ends.get(kind) ?? 0) + 1);
  }

  /** Mutant `number` is done, after so long. */
  took(number: number, milliseconds: number): void {
    this.#mutants += 1;
    if (milliseconds <= this.#slowestMs) return;
    this.#slowestMs = milliseconds;
    this.#slowest = number;
  }

  tally(): Tally {
    const ends = Object.fromEntries([...this.#ends].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { mutants: this.#mutants, ends, slowestMs: this.#slowestMs, slowest: this.#slowest };
  }
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
