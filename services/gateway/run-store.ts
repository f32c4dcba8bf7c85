/** The gateway's durable runs: an embedded LMDB. The only import of lmdb. One process owns the folder (docs/delivery.md rule 20). */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Database, open } from "lmdb";
import { Fatal } from "../runtime/errors.js";
import { type AcceptedRun, encodeRunRecord, type OpenRun, parseRunRecord, type RunRecord } from "./run-record.js";
import { createSeal, type Seal } from "./state-seal.js";

/** What a change does to the stored context: stores it, removes it, or leaves it. */
export type ContextChange = Uint8Array | "remove" | undefined;

/** Everything returned is on disk. Writes reject with Fatal when the disk refuses them. */
export interface RunStore {
  get(run: string): RunRecord | undefined;
  /** All that are stored, in the order of acceptance. */
  all(): readonly RunRecord[];
  /** Those that have not ended. */
  active(): readonly (AcceptedRun | OpenRun)[];
  /** Insert if absent, by (plugin, session): the stored record, and whether it is the given one. */
  insert(record: RunRecord): Promise<{ readonly record: RunRecord; readonly inserted: boolean }>;
  /**
   * Compare and set: `next` is given the stored record and returns the new one, or undefined to leave it as it is; changes of one run
   * happen one after the other. Resolves to what `next` returned; undefined too when there is no such run.
   */
  change<T extends RunRecord>(run: string, next: (record: RunRecord) => T | undefined, context?: ContextChange): Promise<T | undefined>;
  /** The RunContext message of a run, encoded. */
  context(run: string): Buffer | undefined;
  /** Forgets runs whose answer was decided before `time`. */
  prune(time: number): Promise<void>;
  close(): Promise<void>;
}

interface Tables {
  readonly runs: Database<Uint8Array, string>;
  readonly contexts: Database<Uint8Array, string>;
}

/**
 * Opens or creates the store in `folder`; nobody but its owner can read it. `onFatal` is told of a write that the disk refuses, whoever
 * else learns of it.
 * @throws Fatal when a record can not be read: with another STATE_KEY, or damaged. Going on would lose a session.
 */
export function openRunStore(folder: string, stateKey: string | undefined, onFatal: (error: Fatal) => void): RunStore {
  const seal = createSeal(stateKey);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const path = join(folder, "runs.mdb");
  // Without overlappingSync a write's promise means that it is on disk, not only that it is visible.
  const root = open({ path, overlappingSync: false, encoding: "binary" });
  for (const file of [path, `${path}-lock`]) if (existsSync(file)) chmodSync(file, 0o600);
  for (const created of [folder, dirname(folder)]) syncFolder(created);
  const tables: Tables = {
    runs: root.openDB({ name: "runs", encoding: "binary" }),
    contexts: root.openDB({ name: "contexts", encoding: "binary" }),
  };
  const close = async () => {
    await root.flushed;
    await root.close();
  };
  return runStore(tables, seal, loadRuns(tables, seal), onFatal, close);
}

/** A file that was just created is only there after a power cut when its folder was synced. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function loadRuns({ runs }: Tables, seal: Seal): Map<string, RunRecord> {
  const loaded = new Map<string, RunRecord>();
  for (const { key, value } of runs.getRange()) {
    try {
      loaded.set(key, parseRunRecord(seal.open(key, value)));
    } catch (cause) {
      throw new Fatal(`the stored run ${key} can not be read`, { cause });
    }
  }
  return loaded;
}

function runStore(
  tables: Tables,
  seal: Seal,
  runs: Map<string, RunRecord>,
  onFatal: (error: Fatal) => void,
  close: () => Promise<void>,
): RunStore {
  const active = new Map<string, AcceptedRun | OpenRun>();
  const remember = (record: RunRecord) => {
    runs.set(record.run, record);
    if (record.state === "ended") active.delete(record.run);
    else active.set(record.run, record);
  };
  for (const record of runs.values()) remember(record);
  const sessions = new Map([...runs.values()].map((record) => [sessionKey(record), record.run]));
  const queues = new Map<string, Promise<unknown>>();

  /** Runs tasks of the same key one after the other. */
  function inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
    const turn = (queues.get(key) ?? Promise.resolve()).then(task, task);
    const settled = turn
      .catch(() => undefined)
      .then(() => {
        if (queues.get(key) === settled) queues.delete(key);
      });
    queues.set(key, settled);
    return turn;
  }

  async function write(record: RunRecord, context: ContextChange): Promise<void> {
    const { run } = record;
    await durably(() => {
      tables.runs.put(run, seal.seal(run, encodeRunRecord(record)));
      if (context === "remove") tables.contexts.remove(run);
      else if (context) tables.contexts.put(run, seal.seal(run, context));
    });
    remember(record);
  }

  async function durably(writes: () => void): Promise<void> {
    try {
      await tables.runs.transaction(writes);
    } catch (cause) {
      const fatal = new Fatal("the gateway's state can not be written to its volume", { cause });
      onFatal(fatal);
      throw fatal;
    }
  }

  return {
    get: (run) => runs.get(run),
    all: () => [...runs.values()].sort((a, b) => a.acceptedAt - b.acceptedAt || (a.run < b.run ? -1 : 1)),
    active: () => [...active.values()],
    insert: (record) =>
      inTurn(`session ${sessionKey(record)}`, async () => {
        const known = runs.get(sessions.get(sessionKey(record)) ?? "");
        if (known) return { record: known, inserted: false };
        await write(record, undefined);
        sessions.set(sessionKey(record), record.run);
        return { record, inserted: true };
      }),
    change: (run, next, context) =>
      inTurn(run, async () => {
        const record = runs.get(run);
        const changed = record && next(record);
        if (changed) await write(changed, context);
        return changed;
      }),
    context(run) {
      const stored = tables.contexts.get(run);
      return stored && seal.open(run, stored);
    },
    async prune(time) {
      const old = [...runs.values()].filter((record) => record.state === "ended" && record.end.at < time);
      if (old.length === 0) return;
      await durably(() => {
        for (const { run } of old) {
          tables.runs.remove(run);
          tables.contexts.remove(run);
        }
      });
      for (const record of old) {
        runs.delete(record.run);
        sessions.delete(sessionKey(record));
      }
    },
    async close() {
      await Promise.allSettled(queues.values());
      await close();
    },
  };
}

function sessionKey({ plugin, session }: RunRecord): string {
  return JSON.stringify([plugin, session.session]);
}
