/** Seeded chance: the same mutant for the same seed, stream and number, whatever came before it. */

export interface Dice {
  /** A whole number from 0 to `end`, not included. */
  below(end: number): number;
  /** From `min` to `max`, both included. */
  between(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(options: readonly [T, ...T[]]): T;
  bytes(count: number): Buffer;
}

/** mulberry32, begun from a hash of all three. */
export function dice(seed: number, stream: string, number: number): Dice {
  let state = mixed(seed ^ 0x9e3779b9);
  for (const char of `${stream}/${number}`) state = mixed(state ^ (char.codePointAt(0) ?? 0));
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    return mixed(state) >>> 0;
  };
  const below = (end: number) => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    between: (min, max) => min + below(max - min + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (options) => options[below(options.length)] ?? options[0],
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
  };
}

function mixed(state: number): number {
  let value = Math.imul(state ^ (state >>> 15), 1 | state);
  value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
  return value ^ (value >>> 14);
}
