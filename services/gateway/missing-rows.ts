/** What a round publishes: the indexes that the packager says it lacks, asked for piece by piece (docs/delivery.md rule 6). */
import type { IndexRange } from "../../proto/gen/maskline/v1/gateway.js";
import type { Bell } from "./bell.js";
import type { MissingIndexes } from "./run-progress.js";

export interface MissingParts {
  /** Index behind what this round has published before. */
  readonly position: number;
  /** Asks the packager again. */
  readonly ask: () => void;
  /** What it has told since; undefined: nothing yet. */
  readonly told: () => MissingIndexes | undefined;
  /** Assets of the epoch that are final now. */
  readonly accounted: () => number;
  readonly bell: Bell;
  readonly tick: number;
}

/**
 * Yields the missing ranges in ascending order, each index once: within a round a repeat would bear the same message id, which a broker
 * may swallow. The packager tells only the first ranges when there are many, so it is asked again until it has told all.
 */
export async function* missingRanges(parts: MissingParts, signal: AbortSignal): AsyncGenerator<readonly IndexRange[]> {
  let position = parts.position;
  let missing: MissingIndexes | undefined;
  for (;;) {
    missing = await answer(parts, missing, signal);
    const accountedThen = parts.accounted();
    const ranges = behind(missing.ranges, position);
    const last = ranges.at(-1);
    if (last) {
      yield ranges;
      position = last.end;
    }
    if (missing.complete) return;
    if (!last) while (parts.accounted() === accountedThen) await parts.bell.next(parts.tick, signal);
  }
}

/** What was told after `before`; that may be there already, for the first question is asked with the round. */
async function answer(
  { ask, told, bell, tick }: MissingParts,
  before: MissingIndexes | undefined,
  signal: AbortSignal,
): Promise<MissingIndexes> {
  for (let asked = false; ; asked = true) {
    const missing = told();
    if (missing && missing !== before) return missing;
    if (!asked) ask();
    await bell.next(tick, signal);
  }
}

function behind(ranges: readonly IndexRange[], position: number): readonly IndexRange[] {
  return ranges.filter(({ end }) => end > position).map(({ first, end }) => ({ first: Math.max(first, position), end }));
}
