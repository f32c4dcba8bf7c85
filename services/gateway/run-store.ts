/** The gateway's durable runs: an embedded LMDB. The only import of lmdb. One process owns the folder (docs/delivery.md rule 20). */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Database, open } from "lmdb";
import { Fatal } from "../runtime/errors.js";
import { openRunKeys, type RunKeys } from "./run-keys.js";
import { type AcceptedRun, encodeRunRecord, isConfirmed, type OpenRun, parseRunRecord, type RunRecord } from "./run-record.js";
import { createSeal, type Seal } from "./state-seal.js";

/** What a change does to the stored context: stores it, removes it, or leaves it. */
export type ContextChange = Uint8Array | "remove" | undefined;

/**
 * Everything returned is on disk. Writes reject with Fatal when the disk refuses them. A run is sealed with a key of its own until its
 * answer is confirmed; what is stored from then on is its `forgetful` record, and the key is erased.
 */
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
  /** Waits for the writes under way; later ones reject. */
  close(): Promise<void>;
}

interface Tables {
  readonly runs: Database<Uint8Array, string>;
  readonly contexts: Database<Uint8Array, string>;
}

interface Keys {
  readonly seal: Seal;
  readonly ofRuns: RunKeys;
}

/**
 * Opens or creates the store in `folder`, and the runs' keys in `keys` beside it; nobody but their owner can read them. `onFatal` is
 * told of a write that the disk refuses, whoever else learns of it.
 * @throws Fatal when a record can not be read: with another STATE_KEY, without its key file, or damaged. Going on would lose a session.
 */
export function openRunStore(folder: string, stateKey: string | undefined, onFatal: (error: Fatal) => void): RunStore {
  const keys = { seal: createSeal(stateKey), ofRuns: openRunKeys(join(dirname(folder), "keys")) };
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
  const runs = loadRuns(tables, keys);
  keys.ofRuns.keepOnly((run) => {
    const record = runs.get(run);
    return record !== undefined && !isConfirmed(record);
  });
  return runStore(tables, keys, runs, onFatal, close);
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

function loadRuns({ runs }: Tables, { seal, ofRuns }: Keys): Map<string, RunRecord> {
  const loaded = new Map<string, RunRecord>();
  for (const { key, value } of runs.getRange()) {
    try {
      loaded.set(key, parseRunRecord(seal.open(key, value, ofRuns.get(key))));
    } catch (cause) {
      throw new Fatal(`the stored run ${key} can not be read`, { cause });
    }
  }
  return loaded;
}

function runStore(
  tables: Tables,
  { seal, ofRuns }: Keys,
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
  let closed = false;

  /** Runs tasks of the same key one after the other. */
  function inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
    if (closed) return Promise.reject(new Error("the gateway's store is closed"));
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
    const runKey = isConfirmed(record) ? undefined : ofRuns.get(run);
    await durably(() => {
      tables.runs.put(run, seal.seal(run, encodeRunRecord(record), runKey));
      if (context === "remove") tables.contexts.remove(run);
      else if (context) tables.contexts.put(run, seal.seal(run, context, runKey));
    });
    remember(record);
    if (isConfirmed(record)) await orFatal(() => ofRuns.erase(run));
  }

  const durably = (writes: () => void) => orFatal(() => tables.runs.transaction(writes));

  async function orFatal<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
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
        await orFatal(() => ofRuns.create(record.run));
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
      return stored && seal.open(run, stored, ofRuns.get(run));
    },
    async prune(time) {
      const isOld = (record: RunRecord) => record.state === "ended" && record.end.at < time;
      const forget = async (record: RunRecord) => {
        const { run } = record;
        await durably(() => {
          tables.runs.remove(run);
          tables.contexts.remove(run);
        });
        runs.delete(run);
        sessions.delete(sessionKey(record));
        await orFatal(() => ofRuns.erase(run));
      };
      await Promise.all([...runs.values()].filter(isOld).map((record) => inTurn(record.run, () => forget(record))));
    },
    async close() {
      closed = true;
      await Promise.allSettled(queues.values());
      await close();
    },
  };
}

function sessionKey({ plugin, session }: RunRecord): string {
  return JSON.stringify([plugin, session.session]);
}
