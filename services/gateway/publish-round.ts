/** Publishes one round of one epoch of a run: all rows in round 0, what the packager lacks in later ones. */
import type { IndexRange } from "../../proto/gen/maskline/v1/gateway.js";
import type { Bus } from "../runtime/bus/bus.js";
import type { Outage } from "../runtime/bus/publish-patiently.js";
import { startSpan } from "../runtime/telemetry/tracing.js";
import { type CreditLimits, createCredits } from "./credits.js";
import type { GlobalCredits } from "./global-credits.js";
import { missingRanges } from "./missing-rows.js";
import { createPositionRecorder } from "./position-recorder.js";
import { type ExportRow, publishAssets } from "./publish-assets.js";
import type { ProgressBook } from "./run-progress.js";
import type { OpenRun, Pin } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import { assetHeaders } from "./session-trace.js";
import type { Timing } from "./timing.js";

export type PinnedRun = OpenRun & { readonly pin: Pin };

export interface RoundParts {
  readonly gatewayId: string;
  readonly store: Pick<RunStore, "change">;
  readonly book: ProgressBook;
  readonly publish: Bus["publish"];
  readonly readRows: (
    run: string,
    selection: { readonly fromRow: number; readonly wanted?: readonly IndexRange[] },
    signal: AbortSignal,
  ) => AsyncIterable<readonly ExportRow[]>;
  readonly credits: CreditLimits;
  /** Of all runs together. */
  readonly globalCredits: GlobalCredits;
  /** About so many assets of a session are traced. */
  readonly tracedAssets: number;
  readonly timing: Timing;
}

/**
 * Resolves when the broker has acknowledged everything of the round, and its end is recorded. What is in flight then still counts
 * among all runs' credits, until `signal` is aborted: then the round is over.
 * @param outage knows of the messages that wait for a bus or a blob store that is away
 */
export async function publishRound(record: PinnedRun, outage: Outage, parts: RoundParts, signal: AbortSignal): Promise<void> {
  const { run, pin } = record;
  const { book, timing } = parts;
  const bell = book.bell(run);
  const progress = () => book.of(run, pin);
  // Rule 7: what is published before the packager knows of a new epoch could be counted to the old one.
  const known = () => progress().echoed || (pin.epoch === 1 && pin.round === 0 && pin.position === 0);
  // Asked before the first Sync of this process is answered: a packager that is idle does not come again for 2 s.
  if (pin.round > 0) book.ask(run, pin);
  while (!known()) await bell.next(timing.tick, signal);
  signal.throwIfAborted();

  const span = startSpan("publish round", record.session.traceparent, {
    role: "gateway",
    attributes: {
      "maskline.run": run,
      "maskline.packager": pin.packager,
      "maskline.epoch": pin.epoch,
      "maskline.round": pin.round,
      "maskline.assets": record.frozen.total,
    },
  });
  const share = parts.globalCredits.join(() => credits.inFlight(progress().accounted));
  signal.addEventListener("abort", share.leave, { once: true });
  const credits = createCredits(parts.credits, () => (pin.round === 0 ? pin.position : progress().accounted), share);
  const positions = createPositionRecorder((position) => recordPosition(record, position, parts.store), timing.positionEvery);
  try {
    await publishAssets(
      {
        envelope: { run, gateway: parts.gatewayId, packager: pin.packager, epoch: pin.epoch, round: pin.round },
        headers: assetHeaders(record.session, record.frozen.total, parts.tracedAssets),
        rows: pin.round === 0 ? (stop) => allRows(record, parts, stop) : (stop) => missingRows(record, parts, stop),
        publish: parts.publish,
        outage,
        credits,
        accounted: () => progress().accounted,
        bell,
        onPosition: positions.acknowledged,
        pauses: { tick: timing.tick, firstDelayMs: timing.firstPause, maxDelayMs: timing.longestPause },
      },
      signal,
    );
  } catch (error) {
    // A round that is cut short, by its run's end or the next round, has not failed.
    if (!signal.aborted) span?.fail(error);
    throw error;
  } finally {
    share.finished();
    span?.end();
    await positions.flush();
  }
}

async function* allRows({ run, pin, frozen }: PinnedRun, { readRows }: RoundParts, signal: AbortSignal) {
  if (pin.position < frozen.total) yield* readRows(run, { fromRow: pin.position }, signal);
}

async function* missingRows({ run, pin }: PinnedRun, { book, readRows, timing }: RoundParts, signal: AbortSignal) {
  const told = () => book.of(run, pin).missing;
  const ranges = missingRanges(
    {
      position: pin.position,
      ask: () => book.ask(run, pin),
      told: () => (told()?.round === pin.round ? told() : undefined),
      accounted: () => book.of(run, pin).accounted,
      bell: book.bell(run),
      tick: timing.tick,
    },
    signal,
  );
  for await (const wanted of ranges) yield* readRows(run, { fromRow: 0, wanted }, signal);
}

async function recordPosition({ run, pin }: PinnedRun, position: number, store: RoundParts["store"]): Promise<void> {
  await store.change(run, (now) => {
    if (now.state !== "open" || now.pin?.epoch !== pin.epoch || now.pin.round !== pin.round || position <= now.pin.position)
      return undefined;
    return { ...now, pin: { ...now.pin, position } };
  });
}
