/**
 * STEP 5: a complete run becomes an archive, the archive is uploaded, the gateway is told. Outside the consumer, so that one run never
 * holds up another (docs/delivery.md rule 19).
 */
import { join } from "node:path";
import { type ReportRequest, RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { backoffDelay, retrying, waitFor } from "../runtime/backoff.js";
import { describeError, Fatal, Retry } from "../runtime/errors.js";
import { type Caller, type GatewayCalls, NotKnown, OutOfDate, UserFailure } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import { createSlots } from "../runtime/slots.js";
import { retries, stageBytes } from "../runtime/telemetry/metrics.js";
import { inStage } from "../runtime/telemetry/stage.js";
import { inSpan, type Span } from "../runtime/telemetry/tracing.js";
import { DISK_FULL_WORDS, DiskFull, isDiskFull } from "./disk-full.js";
import { type HeldRun, LOG_FILE } from "./held-runs.js";
import { DamagedRecord } from "./run-log.js";
import { UploadFailed } from "./upload.js";
import { type ArchiveVolume, type FinishedArchive, writeArchive } from "./write-archive.js";

export type PackingCalls = Pick<GatewayCalls, "getContext" | "getUploadTarget" | "report">;

export interface PackerOptions {
  /** The connection to a gateway by its id; undefined while it has not answered. */
  readonly gatewayOf: (gateway: string) => PackingCalls | undefined;
  /** Makes the run's folder; rejects when the run is gone. */
  readonly createFolder: (run: HeldRun) => Promise<void>;
  readonly upload: (url: string, file: string, signal: AbortSignal) => Promise<void>;
  /** Reads the run's log again. */
  readonly reload: (run: HeldRun) => Promise<void>;
  /** Archives written at once, and as many uploads. */
  readonly archivesAtOnce: number;
  /** The masks of a larger archive go into volumes, in bytes. */
  readonly archiveLimit: number;
  /** An upload is tried so often, each time with a fresh target. */
  readonly uploadAttempts: number;
  readonly onChange: (run: HeldRun, urgency: "now" | "soon") => void;
  readonly onFatal: (error: Error) => void;
  readonly log: Logger;
}

export interface Packer {
  /** Packs the run if it is complete, or reports it if it has failed; does nothing while it is at it. */
  lookAt(run: HeldRun): void;
  stop(): Promise<void>;
}

const UPLOAD_BACKOFF = { firstDelayMs: 1_000, maxDelayMs: 60_000 };
const GATEWAY_BACKOFF = { firstDelayMs: 200, maxDelayMs: 10_000 };

const ROLE = "packager";

export function createPacker(options: PackerOptions): Packer {
  const { onChange, onFatal, log } = options;
  const stopping = new AbortController();
  const working = new Map<HeldRun, Promise<void>>();
  const tries = new WeakMap<HeldRun, number>();
  const archiveSlots = createSlots(options.archivesAtOnce);
  const uploadSlots = createSlots(options.archivesAtOnce);

  function lookAt(run: HeldRun): void {
    if (stopping.signal.aborted || run.gone.signal.aborted || working.has(run) || run.phase === RunPhase.REPORTED) return;
    if (run.failure === undefined && (run.total === undefined || !run.ledger.isComplete(run.total))) return;
    const signal = AbortSignal.any([stopping.signal, run.gone.signal]);
    const work = settle(run, signal).finally(() => {
      working.delete(run);
      lookAt(run);
    });
    working.set(run, work);
  }

  /** One try to bring the run to its end. Never rejects; before another try it waits. */
  async function settle(run: HeldRun, signal: AbortSignal): Promise<void> {
    try {
      await inSpan("pack run", run.traceparent, { role: ROLE, attributes: { "maskline.run": run.run } }, async (traceparent, span) => {
        const caller = { role: ROLE, traceparent };
        if (run.failure === undefined) await deliver(run, run.total ?? 0, signal, caller, span);
        else await report(run, { $case: "failed", value: { reason: run.failure } }, signal, caller);
      });
      setPhase(run, RunPhase.REPORTED);
    } catch (error) {
      if (signal.aborted) return;
      setPhase(run, RunPhase.SPOOLING);
      await afterFailure(run, error, signal);
    }
  }

  async function deliver(run: HeldRun, total: number, signal: AbortSignal, caller: Caller, span: Span | undefined): Promise<void> {
    setPhase(run, RunPhase.ARCHIVING);
    const context = await contextOf(run, signal, caller);
    const { totalBytes, volumes, ...archive } = await archiveOf(run, total, context, signal, caller);
    setPhase(run, RunPhase.UPLOADING);
    const { target } = await uploaded(run, archive, signal, caller);
    if (span) describeRun(span, run, total, totalBytes);
    const value = { target, bytes: totalBytes, counts: run.ledger.counts(), ...(volumes > 0 ? { volumes } : {}) };
    await report(run, { $case: "uploaded", value }, signal, caller);
    log.info({ run: run.run, assets: total, bytes: totalBytes, volumes }, "a run's archive is uploaded");
  }

  async function contextOf(run: HeldRun, signal: AbortSignal, caller: Caller): Promise<RunContext> {
    const { context } = await ask(run, signal, (gateway) => gateway.getContext({ run: run.run }, caller));
    if (!context) throw new Retry("the gateway gave no context");
    return context;
  }

  /** Writes the archive; volumes of it are uploaded on the way, and while one is, another run may write. */
  async function archiveOf(
    run: HeldRun,
    total: number,
    context: RunContext,
    signal: AbortSignal,
    caller: Caller,
  ): Promise<FinishedArchive> {
    const { ledger, folder } = run;
    const maxBytes = options.archiveLimit;
    const writing = writeArchive({ ledger, total, folder, logFile: join(folder, LOG_FILE), context, maxBytes, signal });
    const next = (link: string) => {
      const write = async () => {
        await options.createFolder(run);
        return writing.next(link);
      };
      return archiveSlots.within(() => inStage("write archive", caller.traceparent, { stage: "zip", role: ROLE }, write), signal);
    };
    try {
      for (let link = ""; ; ) {
        const { value: written } = await next(link);
        if (!written) throw new Error("the archive ended before it was there");
        stageBytes.add(written.bytes, { "maskline.stage": "zip" });
        if (written.kind === "archive") return written;
        link = await deliverVolume(run, written, signal, caller);
      }
    } finally {
      await writing.return();
    }
  }

  /** Uploads a volume; gives the link that users get it by. */
  async function deliverVolume(run: HeldRun, volume: ArchiveVolume, signal: AbortSignal, caller: Caller): Promise<string> {
    setPhase(run, RunPhase.UPLOADING);
    const { downloadUrl } = await uploaded(run, volume, signal, caller);
    if (downloadUrl === undefined) throw new UserFailure("The archive is too large for one file, and the gateway knows of no others.");
    run.volumeBytes = Math.max(run.volumeBytes, volume.bytesSoFar);
    log.info({ run: run.run, volume: volume.number, bytes: volume.bytes }, "a volume of a run's archive is uploaded");
    setPhase(run, RunPhase.ARCHIVING);
    return downloadUrl;
  }

  /**
   * Uploads the archive or a volume of it; a target that refuses (most often because its time is over) is replaced by a fresh one. Only the transfer itself
   * takes one of the places: waiting for a gateway or before another try keeps no other run from uploading.
   */
  async function uploaded(
    run: HeldRun,
    archive: Pick<ArchiveVolume, "file" | "bytes"> & { readonly number?: number },
    signal: AbortSignal,
    caller: Caller,
  ): Promise<{ readonly target: string; readonly downloadUrl: string | undefined }> {
    const wanted = { run: run.run, epoch: run.epoch, ...(archive.number === undefined ? {} : { volume: archive.number }) };
    return retrying(
      async () => {
        const { target, url, downloadUrl } = await ask(run, signal, (gateway) => gateway.getUploadTarget(wanted, caller));
        const upload = () =>
          inStage("upload archive", caller.traceparent, { stage: "upload", role: ROLE, kind: "client" }, () =>
            options.upload(url, archive.file, signal),
          );
        await uploadSlots.within(upload, signal);
        stageBytes.add(archive.bytes, { "maskline.stage": "upload" });
        return { target, downloadUrl };
      },
      {
        ...UPLOAD_BACKOFF,
        attempts: options.uploadAttempts,
        isPassing: (error) => (error instanceof UploadFailed ? { afterMs: error.retryAfterMs } : false),
        onRetry: (error, attempt) => {
          retries.add(1, { "maskline.stage": "upload" });
          log.warn({ run: run.run, attempt, error: describeError(error) }, "an upload failed; again with a fresh target");
        },
      },
      signal,
    );
  }

  async function report(run: HeldRun, result: NonNullable<ReportRequest["result"]>, signal: AbortSignal, caller: Caller): Promise<void> {
    await ask(run, signal, (gateway) => gateway.report({ run: run.run, epoch: run.epoch, result }, caller));
  }

  /** A call to the run's gateway, repeated for as long as it is away: until then everything is kept. */
  async function ask<T>(run: HeldRun, signal: AbortSignal, call: (gateway: PackingCalls) => Promise<T>): Promise<T> {
    return retrying(
      async () => {
        const gateway = options.gatewayOf(run.gateway);
        if (!gateway) throw new Retry("the run's gateway has not answered yet");
        return unlessAborted(call(gateway), signal);
      },
      { ...GATEWAY_BACKOFF, attempts: Number.POSITIVE_INFINITY, isPassing: (error) => error instanceof Retry },
      signal,
    );
  }

  async function afterFailure(run: HeldRun, error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof Fatal) {
      onFatal(error);
      return;
    }
    try {
      if (error instanceof DamagedRecord) {
        log.error({ run: run.run, error: describeError(error) }, "a run's log has rotted; what is lost is asked for again");
        await options.reload(run);
        await pauseBefore(run, signal);
      } else if (error instanceof OutOfDate || error instanceof NotKnown) {
        // Only Sync can tell what the gateway thinks of this run now.
        log.warn({ run: run.run, epoch: run.epoch, error: describeError(error) }, "the gateway does not take a run's result; asking again");
        onChange(run, "now");
        await pauseBefore(run, signal);
      } else {
        run.failure = wordsFor(error);
        log.error({ run: run.run, error: describeError(error) }, "a run can not be packed");
      }
    } catch (failure) {
      if (!signal.aborted) onFatal(failure instanceof Error ? failure : new Error(String(failure)));
    }
  }

  async function pauseBefore(run: HeldRun, signal: AbortSignal): Promise<void> {
    const count = (tries.get(run) ?? 0) + 1;
    tries.set(run, count);
    await waitFor(500 + backoffDelay(count, UPLOAD_BACKOFF), signal);
  }

  function setPhase(run: HeldRun, phase: RunPhase): void {
    run.phase = phase;
    onChange(run, "soon");
  }

  return {
    lookAt,
    async stop() {
      stopping.abort(new Error("the packager is stopping"));
      await Promise.all(working.values());
    },
  };
}

/** The run in figures, and which of its assets took longest to make. */
function describeRun(span: Span, { ledger, figures }: HeldRun, total: number, bytes: number): void {
  const { maskedAssets, masks, skipped, rejected } = ledger.counts();
  const all = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, count) => sum + count, 0);
  span.set({
    "maskline.assets": total,
    "maskline.assets.masked": maskedAssets,
    "maskline.assets.skipped": all(skipped),
    "maskline.assets.rejected": all(rejected),
    "maskline.masks": masks,
    "maskline.archive.size": bytes,
  });
  for (const { index, steps } of figures.slowest()) {
    const times = [...steps].map(([step, ms]) => [`maskline.${step}.ms`, ms]);
    span.event("slow asset", { "maskline.asset.index": index, ...Object.fromEntries(times) });
  }
}

/** Why the run has no archive, for the user who waits for it. */
function wordsFor(error: unknown): string {
  if (error instanceof UserFailure) return error.message;
  if (error instanceof DiskFull || isDiskFull(error)) return DISK_FULL_WORDS;
  if (error instanceof UploadFailed)
    return `The archive could not be uploaded: ${error.message}. Run the export again; if it fails again, ask whoever runs Maskline.`;
  return "The archive could not be made because of an error inside Maskline; its log says which. Ask whoever runs it.";
}

/** What the work gives; the signal's reason as soon as it is aborted, though the call goes on until its own deadline. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
