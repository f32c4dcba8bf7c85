/** Deletes what processes that were killed have left behind: exports and blobs that no run needs any more. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Blobs } from "../runtime/blob/blob.js";
import { describeError } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import { deleteExport } from "./export-store.js";
import { isConfirmed } from "./run-record.js";
import type { RunStore } from "./run-store.js";

/** Exports of runs that are confirmed or unknown. For the start: nothing may be downloading. */
export async function sweepExports(exports: string, store: Pick<RunStore, "get">, log: Logger): Promise<void> {
  const needed = (run: string) => {
    const record = store.get(run);
    return record !== undefined && !isConfirmed(record);
  };
  const runs = new Set((await readdir(exports)).map((file) => file.split(".")[0] ?? ""));
  for (const run of runs) {
    if (needed(run)) continue;
    await deleteExport(join(exports, `${run}.ndjson`)).catch((error: unknown) => {
      log.warn({ run, error: describeError(error) }, "an export that is no longer needed could not be deleted");
    });
  }
}

export interface BlobSweep {
  readonly blobs: Pick<Blobs, "listRuns" | "deleteRun">;
  readonly store: Pick<RunStore, "get">;
  /** Blobs of runs that are not open are kept so long after their youngest. */
  readonly keepMs: number;
  readonly wallClock: () => number;
  /** Aborted when the gateway stops: then it does not go on. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Blobs of runs that are not open here, a day after the youngest (docs/delivery.md rule 20). Several gateways may share a blob store, and
 * then the runs of the others are not known here: a day after its youngest blob such a run is over, or it has stood still for so
 * long that its blobs are a gap, which a round of its gateway publishes again. Never rejects: what fails is tried at the next sweep.
 */
export async function sweepBlobs({ blobs, store, keepMs, wallClock, signal, log }: BlobSweep): Promise<void> {
  try {
    for (const { run, youngestMs } of await blobs.listRuns()) {
      signal.throwIfAborted();
      const record = store.get(run);
      if ((record && record.state !== "ended") || wallClock() - youngestMs < keepMs) continue;
      await blobs.deleteRun(run);
      log.info({ run }, "blobs of a run that is not open are deleted");
    }
  } catch (error) {
    if (!signal.aborted) log.warn({ error: describeError(error) }, "blobs could not be swept; they are at the next time");
  }
}
