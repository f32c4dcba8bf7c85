/**
 * STEP 5: a complete run becomes an archive, the archive is uploaded, the gateway is told. Outside the consumer, so that one run never
 * holds up another (docs/delivery.md rule 19). How the archive is made and uploaded: deliver-archive.ts.
 */
import { type ReportRequest, RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import { backoffDelay, waitFor } from "../runtime/backoff.js";
import { describeError, Fatal } from "../runtime/errors.js";
import { type Caller, NotKnown, OutOfDate, UserFailure } from "../runtime/gateway-calls.js";
import { inSpan, type Span } from "../runtime/telemetry/tracing.js";
import { askGateway } from "./ask-gateway.js";
import { createDelivery, type DeliveryOptions, UPLOAD_BACKOFF } from "./deliver-archive.js";
import { DISK_FULL_WORDS, DiskFull, isDiskFull } from "./disk-full.js";
import type { HeldRun } from "./held-runs.js";
import { assetTimes, describeRun } from "./observed-pack.js";
import { DamagedRecord } from "./run-log.js";
import { UploadFailed } from "./upload.js";

export interface PackerOptions extends DeliveryOptions {
  /** Reads the run's log again. */
  readonly reload: (run: HeldRun) => Promise<void>;
  readonly onChange: (run: HeldRun, urgency: "now" | "soon") => void;
  readonly onFatal: (error: Error) => void;
}

export interface Packer {
  /** Packs the run if it is complete, or reports it if it has failed; does nothing while it is at it. */
  lookAt(run: HeldRun): void;
  stop(): Promise<void>;
}

const ROLE = "packager";

export function createPacker(options: PackerOptions): Packer {
  const { onChange, onFatal, log } = options;
  const stopping = new AbortController();
  const working = new Map<HeldRun, Promise<void>>();
  const tries = new WeakMap<HeldRun, number>();
  const deliverArchive = createDelivery(options);

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
    const given = { run, total, caller, setPhase: (phase: RunPhase) => setPhase(run, phase), signal };
    const { target, totalBytes, volumes } = await deliverArchive(given);
    if (span) describeRun(span, run, total, totalBytes);
    const counts = run.ledger.counts();
    const value = { target, bytes: totalBytes, counts, times: assetTimes(run), ...(volumes > 0 ? { volumes } : {}) };
    await report(run, { $case: "uploaded", value }, signal, caller);
    const { masks, skipped, rejected } = counts;
    log.info({ run: run.run, assets: total, masks, skipped, rejected, bytes: totalBytes, volumes }, "a run's archive is uploaded");
  }

  async function report(run: HeldRun, result: NonNullable<ReportRequest["result"]>, signal: AbortSignal, caller: Caller): Promise<void> {
    await askGateway(run, options.gatewayOf, (gateway) => gateway.report({ run: run.run, epoch: run.epoch, result }, caller), signal);
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

/** Why the run has no archive, for the user who waits for it. */
function wordsFor(error: unknown): string {
  if (error instanceof UserFailure) return error.message;
  if (error instanceof DiskFull || isDiskFull(error)) return DISK_FULL_WORDS;
  if (error instanceof UploadFailed)
    return `The archive could not be uploaded: ${error.message}. Run the export again; if it fails again, ask whoever runs Maskline.`;
  return "The archive could not be made because of an error inside Maskline; its log says which. Ask whoever runs it.";
}
