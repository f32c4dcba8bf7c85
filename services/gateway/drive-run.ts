/** The life of one run, from an accepted session to its end: prepare, pin to a packager, publish, watch; whatever fails ends it. */
import { Outage } from "../runtime/bus/publish-patiently.js";
import { describeError, Fatal, Retry } from "../runtime/errors.js";
import { UserFailure } from "../runtime/gateway-calls.js";
import { redactUrls } from "../runtime/redact.js";
import { epochs, rounds } from "../runtime/telemetry/metrics.js";
import { inSpan } from "../runtime/telemetry/tracing.js";
import { type Answers, failure } from "./answer.js";
import { type HubEnd, HubFailure } from "./hub.js";
import { isPinned, type PinParts, pinToPackager } from "./pin-run.js";
import { type Prepared, type PrepareParts, prepareRun } from "./prepare-run.js";
import { createProgressLines } from "./progress-lines.js";
import { type PinnedRun, publishRound, type RoundParts } from "./publish-round.js";
import type { AcceptedRun, Pin } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import { within } from "./session-trace.js";
import type { UserLine } from "./user-log.js";
import { type Decision, decide } from "./watch-run.js";

export interface DriveParts extends RoundParts, Pick<PinParts, "packagers" | "tell" | "log">, Pick<PrepareParts, "exportFile" | "limits"> {
  readonly store: RunStore;
  readonly hub: Pick<HubEnd, "project" | "fetchExport" | "progress">;
  readonly answers: Pick<Answers, "end">;
  readonly busReady: () => boolean;
  /** What is published does not outlive this process. */
  readonly volatileBus: boolean;
  /** When the process began to listen for packagers. */
  readonly watchingSince: number;
  readonly onFatal: (error: Error) => void;
}

/** Resolves when the run has ended, or `signal` is aborted: then it stays as it is, for the next process. Never rejects. */
export async function driveRun(run: string, parts: DriveParts, signal: AbortSignal): Promise<void> {
  try {
    const accepted = parts.store.get(run);
    if (accepted?.state === "accepted") await prepare(accepted, parts, signal);
    else if (parts.volatileBus) await resumeOnVolatileBus(run, parts);
    await publishUntilEnded(run, parts, signal);
  } catch (error) {
    if (signal.aborted || parts.store.get(run)?.state === "ended") return;
    if (error instanceof Fatal) parts.onFatal(error);
    else await endWithError(run, error, parts);
  }
}

async function prepare(record: AcceptedRun, parts: DriveParts, signal: AbortSignal): Promise<void> {
  const { run } = record;
  const tell = (line: UserLine, verbose: boolean) => parts.tell(run, line, verbose);
  const { session } = record;
  const { frozen, context }: Prepared = await inSpan("prepare run", session.traceparent, { role: "gateway" }, (traceparent) =>
    prepareRun({ ...record, session: within(session, traceparent) }, { ...parts, tell }, signal),
  );
  await parts.store.change(
    run,
    (now) => (now.state === "accepted" ? { ...now, state: "open", frozen, pin: undefined } : undefined),
    context,
  );
  parts.log.info({ run, session: record.session.session, total: frozen.total }, "the export is stored");
}

/** Everything that was published is lost with the process that carried it: the packager is asked what it lacks. */
async function resumeOnVolatileBus(run: string, { store }: DriveParts): Promise<void> {
  await store.change(run, (now) =>
    now.state === "open" && now.pin ? { ...now, pin: { ...now.pin, round: now.pin.round + 1, position: 0 } } : undefined,
  );
}

async function publishUntilEnded(run: string, parts: DriveParts, signal: AbortSignal): Promise<void> {
  const outage = new Outage((reason) =>
    parts.log.warn({ run, error: describeError(reason) }, "the run's assets can not be published; waiting"),
  );
  const watch = createWatch(run, outage, parts);
  for (;;) {
    const record = parts.store.get(run);
    if (record?.state !== "open") return;
    const pinned = isPinned(record) ? record : await pinToPackager(record, undefined, parts, signal);
    if (!pinned) continue;
    const round = new AbortController();
    const publishing = publishRound(pinned, outage, parts, AbortSignal.any([signal, round.signal]));
    try {
      // Publishing ends before watching does; only its failure counts here.
      const failed = publishing.then(() => new Promise<never>(() => undefined));
      const decision = await Promise.race([watch(pinned, AbortSignal.any([signal, round.signal])), failed]);
      round.abort(new Error("the round is over"));
      await publishing.catch(() => undefined);
      await act(pinned, decision, parts, signal);
    } finally {
      round.abort(new Error("the round is over"));
      await publishing.catch(() => undefined);
    }
  }
}

/** Watches one round until something has to be done, or the run has ended. */
function createWatch(run: string, outage: Outage, parts: DriveParts) {
  const { store, book, packagers, timing } = parts;
  let lines: ReturnType<typeof createProgressLines> | undefined;

  return async (record: PinnedRun, signal: AbortSignal): Promise<Decision | undefined> => {
    const { pin, frozen } = record;
    const { total, verbose } = frozen;
    lines ??= createProgressLines(frozen, pin.round > 0 || pin.position > 0, timing.now);
    const roundAt = timing.now();
    let awayUntil = roundAt;
    for (;;) {
      if (store.get(run)?.state !== "open") return undefined;
      const now = timing.now();
      const progress = book.of(run, pin);
      parts.hub.progress(record.session, progress.accounted, total);
      const line = lines(progress);
      if (line !== undefined) parts.tell(run, { level: "INFO", message: line }, verbose);
      const waitsFor = outage.reason;
      // A round has published nothing, and can bring nothing, before the packager has told what it lacks.
      const isUntold = pin.round > 0 && book.asked(run, pin);
      if (waitsFor || isUntold || !parts.busReady() || !packagers.inSync(pin.packager)) awayUntil = now;
      const decision = decide(
        {
          now,
          total,
          pin,
          progress,
          roundAt,
          awayUntil,
          outage: waitsFor && describeError(waitsFor),
          trouble: book.trouble.get(run),
          packager: packagers.seen(pin.packager),
          watchingSince: parts.watchingSince,
          replacement: packagers.choose(() => 0, pin.packager) !== undefined,
        },
        timing,
      );
      if (decision.kind !== "wait") return decision;
      await book.bell(run).next(timing.tick, signal);
    }
  };
}

async function act(record: PinnedRun, decision: Decision | undefined, parts: DriveParts, signal: AbortSignal): Promise<void> {
  const { run, pin, frozen } = record;
  const { log, store, book } = parts;
  if (decision?.kind === "fail") throw new UserFailure(`The export stopped: ${decision.reason}`);
  if (decision?.kind === "epoch") {
    epochs.add(1, { "maskline.reason": decision.reason });
    log.warn({ run, packager: pin.packager, epoch: pin.epoch, reason: decision.reason }, "publishing the run again from the start");
    await pinToPackager(record, decision.reason === "silence" ? pin.packager : undefined, parts, signal);
  }
  if (decision?.kind === "round") {
    rounds.add(1, {});
    const { accounted } = book.of(run, pin);
    log.warn(
      { run, epoch: pin.epoch, round: pin.round + 1, accounted, total: frozen.total },
      "no progress; publishing again what is missing",
    );
    const { fruitless } = decision;
    await store.change(run, (now) =>
      now.state === "open" && samePlace(now.pin, pin)
        ? { ...now, pin: { ...now.pin, round: pin.round + 1, position: 0, fruitless } }
        : undefined,
    );
  }
}

function samePlace(now: Pin | undefined, then: Pin): now is Pin {
  return now?.epoch === then.epoch && now.round === then.round;
}

async function endWithError(run: string, error: unknown, { answers, log, onFatal }: DriveParts): Promise<void> {
  log.error({ run, error: describeError(error) }, "the session ends with an error");
  try {
    const reason = redactUrls(userText(run, error));
    await answers.end(run, ({ session }) => failure(session, reason));
  } catch (failed) {
    onFatal(failed instanceof Error ? failed : new Error(describeError(failed)));
  }
}

function userText(run: string, error: unknown): string {
  if (error instanceof UserFailure || error instanceof HubFailure || error instanceof Retry) return error.message;
  if (error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT")) {
    return "The export can not be stored: the gateway's volume is full. Ask whoever runs the plugin to give it more room.";
  }
  return `The export failed inside the plugin. Whoever runs it finds the cause in the gateway's log, under run ${run}.`;
}
