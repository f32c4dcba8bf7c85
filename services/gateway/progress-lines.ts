/** Progress lines of one run: one each time another `verboseFrequency` assets are done. */
import type { RunProgress } from "./run-progress.js";
import { progressText } from "./user-log.js";

/** @returns what to tell the user about the progress now, or undefined. */
export function createProgressLines(
  { total, verboseFrequency }: { readonly total: number; readonly verboseFrequency: number },
  /** The run was begun by an earlier process: what that one did is known with the first Sync. */
  resumed: boolean,
  now: () => number,
): (progress: Pick<RunProgress, "accounted" | "epoch" | "echoed">) => string | undefined {
  const every = Math.max(1, verboseFrequency);
  let epoch: number | undefined;
  let told = 0;
  let start = { accounted: 0, at: 0 };
  return (progress) => {
    const { accounted } = progress;
    if (progress.epoch !== epoch) {
      if (epoch === undefined && resumed && !progress.echoed) return undefined;
      // What was done before this process began says nothing about the pace.
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
