/** Drives runs, at most so many at once, until they end or the gateway stops. */
import { setMaxListeners } from "node:events";
import { createSlots } from "../runtime/slots.js";
import type { AcceptedRun, OpenRun } from "./run-record.js";

export interface KeeperParts {
  readonly maxSessions: number;
  readonly drive: (run: string, signal: AbortSignal) => Promise<void>;
  /** The run has to wait its turn. */
  readonly onWait: (record: AcceptedRun | OpenRun) => void;
  /** The run is driven no more. */
  readonly onLeft: (run: string) => void;
}

export interface RunKeeper {
  /** Drives the run when it is its turn. One that was open before a restart has had its turn. */
  begin(record: AcceptedRun | OpenRun): void;
  /** Lets go of all runs as they are. */
  stop(): Promise<void>;
}

export function createRunKeeper({ maxSessions, drive, onWait, onLeft }: KeeperParts): RunKeeper {
  const stopping = new AbortController();
  // Every session that waits its turn listens to it, and any number of them may wait.
  setMaxListeners(0, stopping.signal);
  const slots = createSlots(maxSessions);
  const driving = new Map<string, Promise<void>>();

  async function keep(record: AcceptedRun | OpenRun): Promise<void> {
    const release = record.state === "open" ? slots.force() : await slots.take(stopping.signal, () => onWait(record));
    try {
      await drive(record.run, stopping.signal);
    } finally {
      release();
      onLeft(record.run);
    }
  }

  return {
    begin(record) {
      if (driving.has(record.run) || stopping.signal.aborted) return;
      // It only rejects when the gateway stops before its turn; driving itself never does.
      const work = keep(record)
        .catch(() => undefined)
        .finally(() => driving.delete(record.run));
      driving.set(record.run, work);
    },
    async stop() {
      stopping.abort(new Error("the gateway is stopping"));
      await Promise.allSettled(driving.values());
    },
  };
}
