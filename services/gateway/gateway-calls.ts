/** What filters and packagers ask over gRPC, answered from the store (docs/delivery.md rules 8 and 18). */
import { ulid } from "ulid";
import { archiveVolumeName } from "../../proto/archive-volume-name.js";
import type { PackagingFailed, ReportRequest, Uploaded } from "../../proto/gen/maskline/v1/gateway.js";
import { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { Retry } from "../runtime/errors.js";
import { type GatewayCalls, NotKnown, OutOfDate, UserFailure } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import { type Answers, type Ending, failure } from "./answer.js";
import { type HubEnd, HubFailure, type UploadTarget } from "./hub.js";
import type { PinnedRun } from "./publish-round.js";
import type { AcceptedRun, OpenRun, RunRecord } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import { within } from "./session-trace.js";
import { answerSync, type SyncParts } from "./sync.js";
import { finishedLine, type UserLine, waitingForHubText } from "./user-log.js";

export interface CallParts extends Omit<SyncParts, "runs"> {
  readonly store: RunStore;
  readonly hub: Pick<HubEnd, "uploadTarget" | "summary" | "log">;
  readonly answers: Pick<Answers, "end">;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  /** Aborted when the gateway stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Targets of one epoch that a report may still name: a slow call must not take the newer one away. */
const KEPT_TARGETS = 8;

export function createGatewayCalls(parts: CallParts): GatewayCalls {
  const { store, hub, answers, book, signal, log, wallClock } = parts;

  function known(run: string): RunRecord {
    const record = store.get(run);
    if (!record) throw new NotKnown(`this gateway has no run ${run}`);
    return record;
  }

  /** The open run, if it is in that epoch. */
  function current(run: string, epoch: number): PinnedRun {
    const record = known(run);
    if (record.state !== "open" || record.pin?.epoch !== epoch) throw new OutOfDate(`run ${run} is no longer in epoch ${epoch}`);
    return { ...record, pin: record.pin };
  }

  /** The packager asks again; the user is told once why the archive is late. */
  function waitForHub(run: string, session: PinnedRun["session"], reason: string): void {
    if (store.get(run)?.state !== "open") return;
    if (!book.trouble.has(run)) hub.log(session, "WARNING", waitingForHubText(reason));
    book.trouble.set(run, reason);
  }

  return {
    async getContext({ run }) {
      const context = store.context(run);
      if (!context) throw new NotKnown(`this gateway has no context of run ${run}`);
      return { context: RunContext.decode(context) };
    },

    async sync(request) {
      return answerSync(request, { ...parts, runs: store });
    },

    async getUploadTarget({ run, epoch, volume }, caller) {
      const { session, frozen } = current(run, epoch);
      const name = volume === undefined ? frozen.archiveName : archiveVolumeName(frozen.archiveName, volume);
      const { uploadUrl, signedUrl } = await targetFrom(hub, within(session, caller?.traceparent), name, signal).catch((error: unknown) => {
        if (error instanceof Retry && !signal.aborted) waitForHub(run, session, error.message);
        throw error;
      });
      book.trouble.delete(run);
      const id = ulid();
      // Only the archive's own can be reported; the links of volumes go into it.
      if (volume !== undefined) {
        log.info({ run, target: id, volume }, "Hub gave an upload target for a volume");
        return { target: id, url: uploadUrl, downloadUrl: signedUrl };
      }
      const stored = await store.change(run, (record) => {
        if (record.state !== "open" || record.pin?.epoch !== epoch) return undefined;
        return { ...record, pin: { ...record.pin, targets: [...record.pin.targets, { id, signedUrl }].slice(-KEPT_TARGETS) } };
      });
      if (!stored) throw new OutOfDate(`run ${run} is no longer in epoch ${epoch}`);
      log.info({ run, target: id }, "Hub gave an upload target");
      return { target: id, url: uploadUrl };
    },

    async report({ run, epoch, result }) {
      const record = known(run);
      // Reported again because the reply was lost: the first one has decided.
      if (record.state === "ended" && record.epoch === epoch) return {};
      const pinned = current(run, epoch);
      const ending = endingOf(pinned, result, wallClock());
      if (result?.$case === "uploaded") hub.summary(pinned.session, result.value.counts);
      const ended = await answers.end(run, (found) => (epochOf(found) === epoch ? ending : undefined));
      if (!ended && epochOf(known(run)) !== epoch) throw new OutOfDate(`run ${run} is no longer in epoch ${epoch}`);
      return {};
    },
  };
}

function epochOf(record: RunRecord | AcceptedRun | OpenRun): number | undefined {
  if (record.state === "accepted") return undefined;
  return record.state === "open" ? record.pin?.epoch : record.epoch;
}

async function targetFrom(
  hub: Pick<HubEnd, "uploadTarget">,
  session: PinnedRun["session"],
  name: string,
  signal: AbortSignal,
): Promise<UploadTarget> {
  try {
    return await hub.uploadTarget(session, name, signal);
  } catch (error) {
    if (error instanceof HubFailure) throw new UserFailure(error.message, { cause: error });
    throw error;
  }
}

function endingOf(record: PinnedRun, result: ReportRequest["result"], now: number): Ending {
  if (result?.$case === "uploaded") return uploadedEnding(record, result.value, now);
  return failedEnding(record, result?.value);
}

function uploadedEnding({ session, acceptedAt, frozen, pin }: PinnedRun, uploaded: Uploaded, now: number): Ending {
  const { target, counts, volumes } = uploaded;
  const stored = pin.targets.find(({ id }) => id === target);
  if (!stored) throw new OutOfDate(`the upload target ${target} is not one of this epoch's latest`);
  const line = finishedLine(counts, (now - acceptedAt) / 1000, volumes);
  const lines: UserLine[] = frozen.verbose || line.level !== "INFO" ? [line] : [];
  return { answer: { export: true, response: stored.signedUrl, session: session.session }, lines, uploaded };
}

function failedEnding({ session }: PinnedRun, failed: PackagingFailed | undefined): Ending {
  const reason = failed?.reason || "the packager gave no reason";
  return failure(session, `The archive could not be made: ${reason}`);
}
