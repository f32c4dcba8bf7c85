/** Sync: what a packager tells, and what it is answered (docs/delivery.md rule 18). Idempotent, in memory, never waits. */
import { type PinnedRun, RunState, type SyncRequest, type SyncResponse } from "../../proto/gen/maskline/v1/gateway.js";
import type { Packagers } from "./packagers.js";
import type { ProgressBook } from "./run-progress.js";
import type { OpenRun, RunRecord } from "./run-record.js";

export interface SyncParts {
  readonly gatewayId: string;
  readonly runs: { active(): readonly RunRecord[]; get(run: string): RunRecord | undefined };
  readonly packagers: Packagers;
  readonly book: ProgressBook;
}

type PinnedOpenRun = OpenRun & { readonly pin: NonNullable<OpenRun["pin"]> };

/**
 * Every open run pinned to the packager is in the answer, asked for or not. Of the other runs that the packager holds, those that ended
 * are told as ENDED and those that this gateway has never had (or has forgotten since) as UNKNOWN; an open run that is pinned elsewhere
 * is left out, so that its spool is kept until the run has ended.
 */
export function answerSync(request: SyncRequest, { gatewayId, runs, packagers, book }: SyncParts): SyncResponse {
  const { packager, ledgerId } = request;
  packagers.heard(packager, ledgerId, request.otherRuns ?? 0);
  const pinned = runs.active().filter((record): record is PinnedOpenRun => record.state === "open" && record.pin?.packager === packager);
  const held = new Map(request.runs.map((spooled) => [spooled.run, spooled]));
  for (const { run, pin, frozen } of pinned) {
    const spooled = held.get(run);
    if (pin.ledgerId !== ledgerId) book.ring(run);
    else if (spooled?.epoch === pin.epoch) book.told(run, pin, frozen.total, spooled);
  }
  const open = pinned.map((record) => openRun(record, book));
  const others = request.runs.flatMap(({ run, epoch }) => otherRun(run, epoch, runs.get(run)));
  return { gateway: gatewayId, runs: [...open, ...others] };
}

function openRun({ run, session, pin, frozen }: PinnedOpenRun, book: ProgressBook): PinnedRun {
  const { epoch, round } = pin;
  const wantMissing = book.asked(run, pin);
  return { run, epoch, round, total: frozen.total, state: RunState.OPEN, wantMissing, traceparent: session.traceparent };
}

function otherRun(run: string, heldEpoch: number, record: RunRecord | undefined): PinnedRun[] {
  if (record && record.state !== "ended") return [];
  const state = record ? RunState.ENDED : RunState.UNKNOWN;
  return [{ run, epoch: record?.epoch ?? heldEpoch, round: 0, state, wantMissing: false }];
}
