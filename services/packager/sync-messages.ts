/** What a Sync says and what its reply changes (docs/delivery.md rule 18). */
import { type PinnedRun, RunState, type SpooledRun, type SyncResponse } from "../../proto/gen/maskline/v1/gateway.js";
import type { Logger } from "../runtime/log.js";
import { knowRun, runTrace } from "../runtime/telemetry/run-traces.js";
import { isTraceParent, type TraceParent } from "../runtime/telemetry/traceparent.js";
import type { HeldRun, HeldRuns } from "./held-runs.js";
import { isRunId } from "./run-id.js";

/** A Sync stays small: the gateway repairs these first and asks again in its next round. */
const MAX_MISSING_RANGES = 1000;

/** What the packager tells of one run. */
export function spooledRun(held: HeldRun): SpooledRun {
  const asked = held.missingWanted !== undefined && held.total !== undefined;
  return {
    run: held.run,
    epoch: held.epoch,
    accounted: held.ledger.accounted,
    bytes: (held.log?.bytes ?? 0) + held.volumeBytes,
    phase: held.phase,
    counts: held.ledger.counts(),
    missing: asked ? held.ledger.missing(held.total ?? 0, MAX_MISSING_RANGES) : [],
    missingForRound: asked ? held.missingWanted : undefined,
  };
}

/** The runs that this gateway should hear of: its own, and those whose gateway is not known. */
export function runsOf(runs: HeldRuns, gateway: string | undefined): HeldRun[] {
  return runs.all().filter((held) => gateway === undefined || held.gateway === "" || held.gateway === gateway);
}

export interface ApplyOptions {
  readonly runs: HeldRuns;
  /** A run that its own gateway does not know is kept so long. */
  readonly unknownKeepMs: number;
  readonly log: Logger;
}

/** How soon the gateway must hear from us again because of its reply. */
export type Urgency = "now" | "soon" | "later";

/**
 * Stores what a gateway replied. `asked` are the runs that the request spoke of. Runs serially with commits, for it may delete runs.
 * @returns `now` when a new epoch has to be echoed, `soon` when it asks for missing indexes that it was not yet told.
 */
export async function applyReply(
  { gateway, runs: pinned }: SyncResponse,
  asked: readonly HeldRun[],
  options: ApplyOptions,
): Promise<Urgency> {
  const { runs, unknownKeepMs } = options;
  const listed = new Set(pinned.map(({ run }) => run));
  let urgency: Urgency = "later";
  for (const one of pinned) {
    if (!isRunId(one.run)) continue;
    const change = await applyPinned(one, gateway, options);
    if (change === "now" || urgency === "later") urgency = change;
  }
  // Pinned elsewhere by now, or forgotten: kept for a while like a run that is unknown.
  for (const held of asked) if (held.gateway === gateway && !listed.has(held.run)) await keepForAWhile(held, runs, unknownKeepMs);
  return urgency;
}

async function applyPinned(pinned: PinnedRun, gateway: string, { runs, unknownKeepMs, log }: ApplyOptions): Promise<Urgency> {
  const held = runs.get(pinned.run);
  // A gateway speaks for its own runs only: what another one does not know says nothing.
  if (held && held.gateway !== "" && held.gateway !== gateway) return "later";
  switch (pinned.state) {
    case RunState.ENDED:
      if (held) log.info({ run: pinned.run }, "a run has ended; deleted what was held of it");
      if (held) await runs.end(pinned.run);
      return "later";
    case RunState.UNKNOWN:
      if (held && held.gateway === gateway) await keepForAWhile(held, runs, unknownKeepMs);
      return "later";
    default:
      return applyOpen(pinned, gateway, held, runs);
  }
}

async function applyOpen(pinned: PinnedRun, gateway: string, held: HeldRun | undefined, runs: HeldRuns): Promise<Urgency> {
  if (held && held.epoch > pinned.epoch) return "later";
  const isNew = held?.epoch !== pinned.epoch;
  const current = held && !isNew ? held : await runs.begin(pinned.run, pinned.epoch, gateway);
  const wanted = pinned.wantMissing ? pinned.round : undefined;
  const asksAnew = wanted !== undefined && wanted !== current.missingWanted;
  current.gateway = gateway;
  current.total = pinned.total;
  current.missingWanted = wanted;
  if (isTraceParent(pinned.traceparent)) knowTrace(current, pinned.traceparent);
  current.unknownSince = undefined;
  return isNew ? "now" : asksAnew ? "soon" : "later";
}

/** Log lines about the run name its trace from now on, though none of its messages may come to this process any more. */
function knowTrace(held: HeldRun, traceparent: TraceParent): void {
  held.traceparent = traceparent;
  if (runTrace(held.run) === undefined) knowRun(held.run, { traceparent, session: undefined });
}

async function keepForAWhile(held: HeldRun, runs: HeldRuns, unknownKeepMs: number): Promise<void> {
  held.total = undefined;
  held.unknownSince ??= performance.now();
  if (performance.now() - held.unknownSince >= unknownKeepMs) await runs.end(held.run);
}
