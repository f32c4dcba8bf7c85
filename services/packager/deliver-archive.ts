/** From a complete run to its archive at the storage: written once, each file of it uploaded (docs/delivery.md rule 19). */
import { join } from "node:path";
import { RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { type BackoffBounds, retrying } from "../runtime/backoff.js";
import { describeError, Retry } from "../runtime/errors.js";
import { type Caller, UserFailure } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import { createSlots } from "../runtime/slots.js";
import { retries, stageBytes } from "../runtime/telemetry/metrics.js";
import { inStage } from "../runtime/telemetry/stage.js";
import { askGateway, type GatewayOf } from "./ask-gateway.js";
import { type HeldRun, LOG_FILE } from "./held-runs.js";
import { UploadFailed } from "./upload.js";
import { type ArchiveVolume, type FinishedArchive, writeArchive } from "./write-archive.js";

export interface DeliveryOptions {
  readonly gatewayOf: GatewayOf;
  /** Makes the run's folder; rejects when the run is gone. */
  readonly createFolder: (run: HeldRun) => Promise<void>;
  readonly upload: (url: string, file: string, signal: AbortSignal) => Promise<void>;
  /** Archives written at once, and as many uploads. */
  readonly archivesAtOnce: number;
  /** The masks of a larger archive go into volumes, in bytes. */
  readonly archiveLimit: number;
  /** An upload is tried so often, each time with a fresh target. */
  readonly uploadAttempts: number;
  readonly log: Logger;
}

export interface DeliveredArchive {
  /** The upload target that the archive went to. */
  readonly target: string;
  /** With all volumes. */
  readonly totalBytes: number;
  /** How many volumes hold the masks; 0: the archive does. */
  readonly volumes: number;
}

/** One try to deliver a complete run. */
export interface Delivery {
  readonly run: HeldRun;
  /** Assets of the export. */
  readonly total: number;
  readonly caller: Caller;
  /** Told what it is at. */
  readonly setPhase: (phase: RunPhase) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes and uploads the archive of one run.
 * @throws DamagedRecord when the log has rotted; UploadFailed when no target took it; UserFailure, in a user's words; what the gateway
 * answers; the disk's own errors; the signal's reason.
 */
export type DeliverArchive = (delivery: Delivery) => Promise<DeliveredArchive>;

/** Waits between two tries of an upload. */
export const UPLOAD_BACKOFF: BackoffBounds = { firstDelayMs: 1_000, maxDelayMs: 60_000 };

export function createDelivery(options: DeliveryOptions): DeliverArchive {
  const { gatewayOf, log } = options;
  const archiveSlots = createSlots(options.archivesAtOnce);
  const uploadSlots = createSlots(options.archivesAtOnce);

  async function deliver(delivery: Delivery): Promise<DeliveredArchive> {
    const { run, caller, setPhase, signal } = delivery;
    setPhase(RunPhase.ARCHIVING);
    const { context } = await askGateway(run, gatewayOf, (gateway) => gateway.getContext({ run: run.run }, caller), signal);
    if (!context) throw new Retry("the gateway gave no context");
    const { totalBytes, volumes, ...archive } = await archiveOf(delivery, context);
    setPhase(RunPhase.UPLOADING);
    const { target } = await uploaded(delivery, archive);
    return { target, totalBytes, volumes };
  }

  /** Writes the archive; volumes of it are uploaded on the way, and while one is, another run may write. */
  async function archiveOf(delivery: Delivery, context: RunContext): Promise<FinishedArchive> {
    const { run, total, caller, signal } = delivery;
    const { ledger, folder } = run;
    const maxBytes = options.archiveLimit;
    const writing = writeArchive({ ledger, total, folder, logFile: join(folder, LOG_FILE), context, maxBytes, signal });
    const next = (link: string) => {
      const write = async () => {
        await options.createFolder(run);
        return writing.next(link);
      };
      return archiveSlots.within(() => inStage("write archive", caller.traceparent, { stage: "zip", role: caller.role }, write), signal);
    };
    try {
      for (let link = ""; ; ) {
        const { value: written } = await next(link);
        if (!written) throw new Error("the archive ended before it was there");
        stageBytes.add(written.bytes, { "maskline.stage": "zip" });
        if (written.kind === "archive") return written;
        link = await deliverVolume(delivery, written);
      }
    } finally {
      await writing.return();
    }
  }

  /** Uploads a volume; gives the link that users get it by. */
  async function deliverVolume(delivery: Delivery, volume: ArchiveVolume): Promise<string> {
    const { run, setPhase } = delivery;
    setPhase(RunPhase.UPLOADING);
    const { downloadUrl } = await uploaded(delivery, volume);
    if (downloadUrl === undefined) throw new UserFailure("The archive is too large for one file, and the gateway knows of no others.");
    run.volumeBytes = Math.max(run.volumeBytes, volume.bytesSoFar);
    log.info({ run: run.run, volume: volume.number, bytes: volume.bytes }, "a volume of a run's archive is uploaded");
    setPhase(RunPhase.ARCHIVING);
    return downloadUrl;
  }

  /**
   * Uploads the archive or a volume of it; a target that refuses (most often because its time is over) is replaced by a fresh one. Only the
   * transfer itself takes one of the places: waiting for a gateway or before another try keeps no other run from uploading.
   */
  async function uploaded(
    { run, caller, signal }: Delivery,
    archive: Pick<ArchiveVolume, "file" | "bytes"> & { readonly number?: number },
  ): Promise<{ readonly target: string; readonly downloadUrl: string | undefined }> {
    const wanted = { run: run.run, epoch: run.epoch, ...(archive.number === undefined ? {} : { volume: archive.number }) };
    return retrying(
      async () => {
        const { target, url, downloadUrl } = await askGateway(run, gatewayOf, (gateway) => gateway.getUploadTarget(wanted, caller), signal);
        const upload = () =>
          inStage("upload archive", caller.traceparent, { stage: "upload", role: caller.role, kind: "client" }, () =>
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

  return deliver;
}
