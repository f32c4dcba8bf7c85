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
  /** Whether the run waits its turn. */
  waits(run: string): boolean;
  /** The run has ended: whatever is being done for it stops, also its waiting. */
  leave(run: string): void;
  /** Resolves when nothing is being done for the run. */
  left(run: string): Promise<void>;
  /** Lets go of all runs as they are. */
  stop(): Promise<void>;
}

interface Driving {
  readonly leaving: AbortController;
  waits: boolean;
  work: Promise<void>;
}

export function createRunKeeper({ maxSessions, drive, onWait, onLeft }: KeeperParts): RunKeeper {
  const slots = createSlots(maxSessions);
  const driving = new Map<string, Driving>();
  let stopped = false;

  async function keep(record: AcceptedRun | OpenRun, entry: Driving): Promise<void> {
    const { signal } = entry.leaving;
    const turn = () => {
      entry.waits = true;
      onWait(record);
    };
    const release = record.state === "open" ? slots.force() : await slots.take(signal, turn);
    entry.waits = false;
    try {
      await drive(record.run, signal);
    } finally {
      release();
      onLeft(record.run);
    }
  }

  return {
    begin(record) {
      const { run } = record;
      if (driving.has(run) || stopped) return;
      const entry: Driving = { leaving: new AbortController(), waits: false, work: Promise.resolve() };
      // Everything that is done for a run listens to it.
      setMaxListeners(0, entry.leaving.signal);
      driving.set(run, entry);
      // It only rejects when it is told to leave before its turn; driving itself never does.
      entry.work = keep(record, entry)
        .catch(() => undefined)
        .finally(() => driving.delete(run));
    },
    waits: (run) => driving.get(run)?.waits ?? false,
    leave: (run) => driving.get(run)?.leaving.abort(new Error("the run has ended")),
    left: async (run) => driving.get(run)?.work,
    async stop() {
      stopped = true;
      for (const { leaving } of driving.values()) leaving.abort(new Error("the gateway is stopping"));
      await Promise.allSettled([...driving.values()].map(({ work }) => work));
    },
  };
}
