/** What to do about an open run now: the rules that nothing may hang by (docs/delivery.md rules 6 and 7). Pure. */

import type { RunProgress } from "./run-progress.js";
import type { Pin } from "./run-record.js";

export interface Situation {
  readonly now: number;
  readonly total: number;
  readonly pin: Pin;
  readonly progress: RunProgress;
  /** When this process began to watch the present round. */
  readonly roundAt: number;
  /** Until when something outside was away: the bus, a blob store, or the packager. Stalls are counted from there. */
  readonly awayUntil: number;
  /** What messages of this run wait for now; undefined: none waits. */
  readonly outage: string | undefined;
  /** What the archive waits for now; undefined: nothing that is known. */
  readonly trouble: string | undefined;
  /** Undefined: not heard since `watchingSince`. */
  readonly packager: { readonly ledgerId: string; readonly heardAt: number } | undefined;
  /** When the process began to listen for packagers. */
  readonly watchingSince: number;
  /** Whether another packager could take the run. */
  readonly replacement: boolean;
}

export type Decision =
  | { readonly kind: "wait" }
  /** Publish from the start again, on the same packager or another. */
  | { readonly kind: "epoch"; readonly reason: "ledger" | "silence" }
  /** Publish again what is missing. */
  | { readonly kind: "round"; readonly fruitless: number }
  | { readonly kind: "fail"; readonly reason: string };

export interface WatchLimits {
  readonly stall: number;
  readonly silence: number;
  readonly giveUp: number;
}

/** Rounds in a row that brought nothing end the session. */
export const MAX_FRUITLESS_ROUNDS = 3;
/** A packager that loses its volume again and again does not keep a session for ever. */
export const MAX_EPOCHS = 20;

export function decide(situation: Situation, limits: WatchLimits): Decision {
  const { now, pin, packager, progress, total } = situation;
  if (now - progress.movedAt >= limits.giveUp) return { kind: "fail", reason: gaveUp(situation, limits) };
  if (packager && packager.ledgerId !== pin.ledgerId) return newEpoch(pin, "ledger");
  const heardAt = packager?.heardAt ?? situation.watchingSince;
  if (now - heardAt >= limits.silence && situation.replacement) return newEpoch(pin, "silence");
  if (progress.accounted >= total) return { kind: "wait" };
  const quietSince = Math.max(progress.movedAt, situation.roundAt, situation.awayUntil);
  if (now - quietSince < limits.stall) return { kind: "wait" };
  const fruitless = pin.round === 0 || progress.movedAt > situation.roundAt ? 0 : pin.fruitless + 1;
  if (fruitless < MAX_FRUITLESS_ROUNDS) return { kind: "round", fruitless };
  return {
    kind: "fail",
    reason:
      `${total - progress.accounted} of ${total} assets were published ${MAX_FRUITLESS_ROUNDS + 1} times, and nothing came back. ` +
      "Check that filters and rasterizers are running.",
  };
}

function newEpoch({ epoch }: Pin, reason: "ledger" | "silence"): Decision {
  if (epoch < MAX_EPOCHS) return { kind: "epoch", reason };
  return { kind: "fail", reason: `its packager was lost ${MAX_EPOCHS} times. Check the packagers' volumes.` };
}

function gaveUp({ progress, total, packager, outage, trouble }: Situation, { giveUp }: WatchLimits): string {
  const long = inWords(giveUp);
  if (!packager) return `its packager has not been heard for ${long}.`;
  if (progress.accounted >= total) {
    return `all assets are done, but its archive was not finished within ${long}.${trouble === undefined ? "" : ` ${trouble}`}`;
  }
  const because = outage === undefined ? "" : ` The assets can not be handed on: ${outage}`;
  return `${progress.accounted} of ${total} assets are done, and nothing has happened for ${long}.${because}`;
}

function inWords(ms: number): string {
  if (ms >= 3_600_000) return `${Number((ms / 3_600_000).toFixed(1))} hours`;
  return ms >= 60_000 ? `${Number((ms / 60_000).toFixed(1))} minutes` : `${Number((ms / 1000).toFixed(1))} seconds`;
}
