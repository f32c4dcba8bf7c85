/** Progress lines of one run: one each time another `verboseFrequency` assets are done. */
import type { RunProgress } from "./run-progress.js";
import { progressText } from "./user-log.js";

/** @returns what to tell the user about the progress now, or undefined. */
export function createProgressLines(
  { total, verboseFrequency }: { readonly total: number; readonly verboseFrequency: number },
  now: () => number,
): (progress: Pick<RunProgress, "accounted" | "epoch">) => string | undefined {
  const every = Math.max(1, verboseFrequency);
  let epoch = 0;
  let told = 0;
  let start = { accounted: 0, at: 0 };
  return (progress) => {
    const { accounted } = progress;
    if (progress.epoch !== epoch) {
      // What was done before this process began, or before Sync first told, says nothing about the pace.
      epoch = progress.epoch;
      start = { accounted, at: now() };
      told = Math.floor(accounted / every);
    }
    const steps = Math.floor(accounted / every);
    if (steps <= told) return undefined;
    told = steps;
    const seconds = (now() - start.at) / 1000;
    return progressText({ accounted, total, perSecond: seconds > 0 ? (accounted - start.accounted) / seconds : 0 });
  };
}
