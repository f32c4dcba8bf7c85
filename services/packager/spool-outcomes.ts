/**
 * STEP 4: every outcome into the log of its run, then acknowledged. The one consumer that acknowledges later than its step: many outcomes
 * share one sync of the disk (docs/delivery.md rules 16 to 18).
 */
import type { Consumption, Delivery } from "../runtime/bus/bus.js";
import { describeError, Fatal } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import { DISK_FULL_WORDS, DiskFull } from "./disk-full.js";
import type { HeldRun, HeldRuns } from "./held-runs.js";
import { observeCommit, type SpooledRecord } from "./observed-spool.js";
import { decodeHead, type OutcomeHead, withinBytes } from "./outcome-head.js";
import { MAX_PAYLOAD_BYTES } from "./record-format.js";

export interface SpoolOptions {
  readonly runs: HeldRuns;
  /** Called after every commit, for each run that it changed. */
  readonly onChange: (run: HeldRun) => void;
  readonly onFatal: (error: Error) => void;
  readonly log: Logger;
  /** The asset of a larger outcome is rejected; what a record can hold, and only tests change it. */
  readonly maxPayloadBytes?: number;
}

export interface Spool {
  /** Takes one outcome; it is acknowledged after the commit that holds it. */
  deliver(delivery: Delivery): void;
  /** Commits and acknowledges what was delivered so far. */
  drain(): Promise<void>;
}

/** What one consumption may hold unsettled. */
export const HELD_OUTCOMES = 512;
export const HELD_BYTES = 16 * 2 ** 20;

/** While outcomes keep coming, a commit waits this long for more of them, or until half of what may be held is there. */
const GATHER_MS = 20;

type Staged = Map<HeldRun, SpooledRecord[]>;

export function createSpool({ runs, onChange, onFatal, log, maxPayloadBytes = MAX_PAYLOAD_BYTES }: SpoolOptions): Spool {
  let waiting: Delivery[] = [];
  let waitingBytes = 0;
  let committing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastCommitAt = 0;
  let broken = false;

  function schedule(): void {
    if (committing || broken || waiting.length === 0) return;
    const isLarge = waiting.length >= HELD_OUTCOMES / 2 || waitingBytes >= HELD_BYTES / 2;
    const delayMs = isLarge ? 0 : lastCommitAt + GATHER_MS - performance.now();
    if (delayMs <= 0) {
      // Not at once: what arrives in the same turn of the event loop joins.
      clearTimeout(timer);
      timer = undefined;
      committing = new Promise<void>((resolve) => setImmediate(resolve)).then(commit).finally(() => {
        committing = undefined;
        lastCommitAt = performance.now();
        schedule();
      });
    } else {
      timer ??= setTimeout(() => {
        timer = undefined;
        lastCommitAt = 0;
        schedule();
      }, delayMs);
    }
  }

  async function commit(): Promise<void> {
    const batch = waiting;
    waiting = [];
    waitingBytes = 0;
    try {
      await runs.serially(() => spool(batch));
    } catch (error) {
      broken = true;
      onFatal(error instanceof Fatal ? error : new Fatal("outcomes can not be spooled", { cause: error }));
      return;
    }
    // A lost ack means another delivery, which the ledger knows as a duplicate.
    await Promise.allSettled(batch.map((delivery) => delivery.ack()));
  }

  async function spool(batch: readonly Delivery[]): Promise<void> {
    const staged: Staged = new Map();
    for (const delivery of batch) {
      const body = withinBytes(delivery.body, maxPayloadBytes);
      const head = decodeHead(body);
      if (head) await stage(staged, head, body, delivery);
      else log.error({ id: delivery.id, bytes: delivery.body.length }, "dropped an outcome that can not be read");
    }
    // Each run has a file of its own, so their syncs need not wait for each other.
    await Promise.all([...staged].map(([run, records]) => commitTo(run, records)));
    for (const run of staged.keys()) onChange(run);
  }

  async function commitTo(run: HeldRun, records: readonly SpooledRecord[]): Promise<void> {
    await failingOnDiskFull(run, async () => {
      const committed = observeCommit(run, log);
      await run.log?.commit();
      for (const { cell, location } of records) run.ledger.accept(cell, location);
      committed(records);
    });
  }

  async function stage(staged: Staged, head: OutcomeHead, body: Uint8Array, delivery: Delivery): Promise<void> {
    const run = await runOf(head, staged);
    if (!run || run.failure !== undefined) return;
    await failingOnDiskFull(run, async () => {
      const runLog = await runs.logOf(run);
      if (!run.ledger.isNews(head.cell)) return;
      const records = staged.get(run) ?? [];
      records.push({ cell: head.cell, location: runLog.append(body), delivery });
      staged.set(run, records);
    });
    if (run.failure !== undefined) onChange(run);
  }

  /** The run that an outcome belongs to; undefined when it is late. An unknown run is held without asking, Sync decides later. */
  async function runOf({ run, epoch, gateway }: OutcomeHead, staged: Staged): Promise<HeldRun | undefined> {
    const held = runs.get(run);
    if (runs.hasEnded(run) || (held && held.epoch > epoch)) return undefined;
    if (held?.epoch === epoch) {
      if (held.gateway === "") held.gateway = gateway;
      return held;
    }
    // A higher epoch than ours: the gateway published from the start again, so what we hold is of no use.
    if (held) staged.delete(held);
    log.info({ run, epoch }, held ? "a run starts anew" : "a run starts");
    return runs.begin(run, epoch, gateway);
  }

  async function failingOnDiskFull(run: HeldRun, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DiskFull)) throw error;
      run.failure = DISK_FULL_WORDS;
      log.error({ run: run.run, error: describeError(error) }, "a run fails for want of disk space");
    }
  }

  return {
    deliver(delivery) {
      waiting.push(delivery);
      waitingBytes += delivery.body.length;
      schedule();
    },
    async drain() {
      while (!broken && (committing || waiting.length > 0)) {
        lastCommitAt = 0;
        schedule();
        await committing;
      }
      clearTimeout(timer);
    },
  };
}

/** Stops the consumption in the right order: nothing new, commit what is here, hand back the rest. */
export async function stopSpooling(consumption: Consumption, spool: Spool): Promise<void> {
  await consumption.stop();
  await spool.drain();
  await consumption.release();
}
