/** What a run's trace tells of its assets besides those that are traced: the slowest ones, and how many rejections it shows. Pure. */

export interface SlowAsset {
  readonly index: number;
  /** Milliseconds by step. */
  readonly steps: ReadonlyMap<string, number>;
  readonly total: number;
}

export interface RunFigures {
  /** Takes in how long one asset, or one part of it, took. */
  took(index: number, steps: ReadonlyMap<string, number>): void;
  /** Slowest first. */
  slowest(): readonly SlowAsset[];
  /** Whether another rejected asset gets a span; those that do not are in the counts. */
  showsRejection(): boolean;
}

const KEPT_SLOWEST = 5;
/** A trace with more of them could not be read any more. */
const SHOWN_REJECTIONS = 100;

export function createRunFigures(): RunFigures {
  let slowest: readonly SlowAsset[] = [];
  let rejections = 0;
  return {
    took(index, steps) {
      const total = [...steps.values()].reduce((sum, ms) => sum + ms, 0);
      const last = slowest.at(-1);
      if (slowest.length === KEPT_SLOWEST && last && last.total >= total) return;
      slowest = [...slowest, { index, steps, total }].sort((a, b) => b.total - a.total).slice(0, KEPT_SLOWEST);
    },
    slowest: () => slowest,
    showsRejection() {
      rejections += 1;
      return rejections <= SHOWN_REJECTIONS;
    },
  };
}
