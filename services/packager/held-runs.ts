/** The runs that this packager holds, each in one epoch, with their logs and ledgers. */
import { join } from "node:path";
import { RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import type { Logger } from "../runtime/log.js";
import { DiskFull, translateDiskErrors } from "./disk-full.js";
import { Ledger } from "./ledger.js";
import { decodeHead } from "./outcome-head.js";
import { createRunFigures, type RunFigures } from "./run-figures.js";
import { openRunLog, type RunLog } from "./run-log.js";
import type { Volume } from "./volume.js";

/** One run in one epoch. What is mutable here is what the gateway said last, and how far packing is. */
export interface HeldRun {
  readonly run: string;
  readonly epoch: number;
  readonly folder: string;
  ledger: Ledger;
  /** Opened with the first record. */
  log: RunLog | undefined;
  /** The gateway that the run's messages name; empty until one did. */
  gateway: string;
  /** Assets of the export; undefined until Sync told it. */
  total: number | undefined;
  /** The round in which the gateway asked for the missing indexes. */
  missingWanted: number | undefined;
  phase: RunPhase;
  /** Bytes of the archive's volumes that are uploaded: progress, like those of the log. */
  volumeBytes: number;
  /** Why this run can not be packed, in a user's words. */
  failure: string | undefined;
  /** The session's root span, told by Sync; undefined: the run is not traced. */
  traceparent: string | undefined;
  readonly figures: RunFigures;
  /** Since when its own gateway does not know it, by the monotonic clock, in milliseconds. */
  unknownSince: number | undefined;
  /** Aborted when this epoch is given up or the run has ended. */
  readonly gone: AbortController;
}

export interface HeldRuns {
  all(): HeldRun[];
  get(run: string): HeldRun | undefined;
  /** Whether the run was seen ended lately: late repeats of its messages are not spooled again. */
  hasEnded(run: string): boolean;
  /** Holds the run in that epoch, empty; an older epoch of it is deleted. One that has ended has not any more. */
  begin(run: string, epoch: number, gateway: string): Promise<HeldRun>;
  /** Makes the run's folder, after what is under way. Rejects with the reason of `gone` when the run has gone by then. */
  createFolder(held: HeldRun): Promise<void>;
  /** The run's log, opened if need be. */
  logOf(held: HeldRun): Promise<RunLog>;
  /** Reads the log again, after a record of it was found damaged: what is lost is missing again. */
  reload(held: HeldRun): Promise<void>;
  /** Deletes the run: spool and archive. */
  end(run: string): Promise<void>;
  /** Runs one task after the other: commits, resets and deletions never overlap. */
  serially<T>(task: () => Promise<T>): Promise<T>;
  /** Closes the logs, after what is under way. */
  close(): Promise<void>;
}

export const LOG_FILE = "outcomes.log";

const ENDED_REMEMBERED = 10_000;

/** Reads the whole volume. */
export async function recoverRuns(volume: Volume, log: Logger): Promise<HeldRuns> {
  const held = new Map<string, HeldRun>();
  const ended = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();

  async function openLog(run: HeldRun): Promise<RunLog> {
    await translateDiskErrors(() => volume.create(run.folder));
    const ledger = new Ledger();
    const {
      log: opened,
      cut,
      damaged,
    } = await openRunLog(join(run.folder, LOG_FILE), (payload, location) => {
      const head = decodeHead(payload);
      if (head?.run !== run.run || head.epoch !== run.epoch) return;
      if (head.gateway !== "") run.gateway = head.gateway;
      ledger.accept(head.cell, location);
    });
    if (cut > 0 || damaged > 0) log.warn({ run: run.run, epoch: run.epoch, cut, damaged }, "the log of a run had damaged records");
    run.ledger = ledger;
    run.log = opened;
    return opened;
  }

  async function giveUp(run: HeldRun): Promise<void> {
    run.gone.abort(new Error("the run has ended or started anew"));
    held.delete(run.run);
    await run.log?.close();
    await volume.discard(run.folder);
  }

  function serially<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  }

  const runs: HeldRuns = {
    all: () => [...held.values()],
    get: (run) => held.get(run),
    hasEnded: (run) => ended.has(run),
    async begin(run, epoch, gateway) {
      const older = held.get(run);
      if (older) await giveUp(older);
      // Given up, and pinned here again: what comes now is no late repeat.
      ended.delete(run);
      const fresh = emptyRun(run, epoch, gateway, volume.folderOf(run, epoch));
      held.set(run, fresh);
      return fresh;
    },
    createFolder: (run) =>
      serially(async () => {
        run.gone.signal.throwIfAborted();
        await volume.create(run.folder);
      }),
    logOf: async (run) => run.log ?? (await openLog(run)),
    async reload(run) {
      await run.log?.close();
      run.log = undefined;
      await openLog(run);
      run.phase = RunPhase.SPOOLING;
    },
    async end(run) {
      ended.add(run);
      const oldest = ended.size > ENDED_REMEMBERED ? ended.values().next().value : undefined;
      if (oldest !== undefined) ended.delete(oldest);
      const known = held.get(run);
      if (known) await giveUp(known);
    },
    serially,
    close: () =>
      serially(async () => {
        for (const run of held.values()) await run.log?.close();
        await volume.close();
      }),
  };

  for (const { run, epoch } of await volume.list()) {
    const recovered = await runs.begin(run, epoch, "");
    // A folder without a log, on a full disk: there is nothing to recover, and an outcome will find out again.
    await runs.logOf(recovered).catch(assertDiskFull);
  }
  return runs;
}

function emptyRun(run: string, epoch: number, gateway: string, folder: string): HeldRun {
  return {
    run,
    epoch,
    folder,
    gateway,
    ledger: new Ledger(),
    log: undefined,
    total: undefined,
    missingWanted: undefined,
    phase: RunPhase.SPOOLING,
    volumeBytes: 0,
    failure: undefined,
    traceparent: undefined,
    figures: createRunFigures(),
    unknownSince: undefined,
    gone: new AbortController(),
  };
}

function assertDiskFull(error: unknown): void {
  if (!(error instanceof DiskFull)) throw error;
}
