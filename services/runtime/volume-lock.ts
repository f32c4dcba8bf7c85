/**
 * Two processes never share a volume (docs/delivery.md rule 20): a lock file names the process that has it, and is touched as long
 * as that process lives. It works on network volumes too, where locks of the kernel do not reliably.
 */
import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, Fatal } from "./errors.js";
import { describeOwner, type Owner, parseOwner, thisProcess, whereabouts } from "./lock-owner.js";

const LOCK = "maskline.lock";
/** Who replaces a stale lock has this file meanwhile, so that only one does. */
const TAKEOVER = "maskline.lock.takeover";

const REFRESH_MS = 5_000;
const STALE_MS = 30_000;
/** Who lives has given a sign of it in this time; that is enough for a lock of our own host. */
const QUIET_MS = 2 * REFRESH_MS;

/** A lock may be released, or a crashed takeover swept, between two looks. */
const ATTEMPTS = 5;
const PAUSE_MS = 50;

interface FoundLock {
  /** Undefined: the file is being written, or is not one of ours. */
  readonly owner: Owner | undefined;
  /** The owner's last sign of life. */
  readonly touchedAt: number;
}

export interface VolumeLockOptions {
  /** Called once when another process took the volume, or the lock could not be kept: stop at once, write nothing more. */
  readonly onLost: (error: Fatal) => void;
  /** Told why, before waiting for whether the owner of a lock still lives. */
  readonly onWait?: (reason: string) => void;
  /** Milliseconds between signs of life. Only tests change it. */
  readonly refreshMs?: number;
}

export interface VolumeLock {
  /** Gives the volume back. Idempotent. */
  release(): Promise<void>;
}

/** Ids of the locks that this very process holds: an earlier life of it may have had the same pid. */
const heldHere = new Set<string>();

/**
 * Locks a folder for this process, making it if it is missing. The lock of a process that is known to be dead, or that gave no sign of
 * life for 30 seconds, is taken over. That of a process of another container on a host of our name may be our own former life's, or a
 * twin's that lives: it is watched for a sign of life, 10 seconds at the most, and taken over when there is none.
 * @throws Fatal that says who holds it, or why it can not be locked: the orchestrator starts the process again.
 */
export async function lockVolume(folder: string, options: VolumeLockOptions): Promise<VolumeLock> {
  const { onLost, onWait = () => undefined, refreshMs = REFRESH_MS } = options;
  const owner = thisProcess();
  heldHere.add(owner.id);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await acquire(folder, owner, onWait);
  } catch (error) {
    heldHere.delete(owner.id);
    if (error instanceof Fatal) throw error;
    throw new Fatal(`the volume ${folder} can not be locked; it must be a folder that this process may write to`, { cause: error });
  }
  return keep(folder, owner, onLost, refreshMs);
}

async function acquire(folder: string, owner: Owner, onWait: (reason: string) => void): Promise<void> {
  const path = join(folder, LOCK);
  let found: FoundLock | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await sleep(PAUSE_MS);
    if (await createExclusively(path, owner)) return;
    found = await lookUntilSure(path, (seen) => onWait(`${heldMessage(folder, seen)}. Waiting for a sign of life of it`));
    if (found === undefined) continue;
    if (!isStale(found)) break;
    if (await takeOver(folder, owner)) return;
  }
  throw new Fatal(`${heldMessage(folder, found)}. ${WHAT_TO_DO}`);
}

/** The lock, when it is certain whether its owner lives, or it has changed hands. */
async function lookUntilSure(path: string, onWait: (found: FoundLock) => void): Promise<FoundLock | undefined> {
  const first = await look(path);
  if (first === undefined || !isUnsure(first)) return first;
  onWait(first);
  const deadline = Date.now() + QUIET_MS;
  for (;;) {
    await sleep(PAUSE_MS);
    const found = await look(path);
    if (found === undefined || found.touchedAt !== first.touchedAt || !isUnsure(found) || Date.now() > deadline) return found;
  }
}

/** Replaces a stale lock. False when another process is at it, or was faster. */
async function takeOver(folder: string, owner: Owner): Promise<boolean> {
  const path = join(folder, LOCK);
  const takeover = join(folder, TAKEOVER);
  if (!(await createExclusively(takeover, owner))) {
    const other = await look(takeover);
    // Left behind by a process that was killed just then.
    if (other && isStale(other)) await rm(takeover, { force: true });
    return false;
  }
  // The lock may have changed since it was found stale; from here on nobody else replaces it.
  const found = await look(path);
  if (found !== undefined && isStale(found)) await rename(takeover, path);
  else await rm(takeover, { force: true });
  return (await look(path))?.owner?.id === owner.id;
}

function keep(folder: string, owner: Owner, onLost: (error: Fatal) => void, refreshMs: number): VolumeLock {
  const path = join(folder, LOCK);
  let keptAt = Date.now();
  let ended = false;
  let touching: Promise<void> | undefined;

  const end = () => {
    ended = true;
    clearInterval(timer);
    heldHere.delete(owner.id);
  };
  const lost = (why: string) => {
    if (ended) return;
    end();
    onLost(new Fatal(`the lock of the volume ${folder} is lost: ${why}. Nothing more may be written to it`));
  };
  const touch = async () => {
    const found = await look(path);
    if (found?.owner?.id !== owner.id) {
      lost(found?.owner ? `${describeOwner(found.owner)} took it` : "its file was removed");
      return;
    }
    const now = new Date();
    await utimes(path, now, now);
    keptAt = now.getTime();
  };
  // Passing trouble of the volume is survived as long as nobody on another host can think that this process is dead.
  const giveUpWhenStale = (why: string) => {
    if (Date.now() - keptAt > STALE_MS - 2 * refreshMs) lost(why);
  };
  const refresh = () => {
    if (touching) {
      giveUpWhenStale("the volume does not answer");
      return;
    }
    touching = touch()
      .catch((error: unknown) => giveUpWhenStale(`its file can not be touched (${describeError(error)})`))
      .finally(() => {
        touching = undefined;
      });
  };
  const timer = setInterval(refresh, refreshMs);
  timer.unref();

  return {
    async release() {
      if (ended) return;
      end();
      await touching;
      if ((await look(path))?.owner?.id === owner.id) await rm(path, { force: true });
    },
  };
}

async function createExclusively(path: string, owner: Owner): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(JSON.stringify(owner));
    } catch (error) {
      // A full disk: a lock without a name would keep everyone out until it is stale.
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

async function look(path: string): Promise<FoundLock | undefined> {
  try {
    const content = await readFile(path, "utf8");
    return { owner: parseOwner(content), touchedAt: (await stat(path)).mtimeMs };
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isStale(found: FoundLock): boolean {
  return age(found) > patienceWith(found.owner);
}

/** Whether a wait tells if its owner lives. */
function isUnsure(found: FoundLock): boolean {
  return patienceWith(found.owner) === QUIET_MS && !isStale(found);
}

/** Milliseconds without a sign of life after which the owner of a lock is dead. */
function patienceWith(owner: Owner | undefined): number {
  if (owner === undefined) return STALE_MS;
  if (heldHere.has(owner.id)) return Number.POSITIVE_INFINITY;
  switch (whereabouts(owner)) {
    case "gone":
      return Number.NEGATIVE_INFINITY;
    case "another container":
      return QUIET_MS;
    // A pid that is in use may be another program's by now.
    case "here":
    case "another host":
      return STALE_MS;
  }
}

function age({ touchedAt }: FoundLock): number {
  return Date.now() - touchedAt;
}

function heldMessage(folder: string, found: FoundLock | undefined): string {
  const holder = found?.owner ? describeOwner(found.owner) : "a process that did not write its name";
  const when = found ? `, last sign of life ${(age(found) / 1000).toFixed(1)} s ago` : "";
  return `the volume ${folder} is held by ${holder}${when}`;
}

const WHAT_TO_DO =
  "Two processes must not share it: stop the other one, or give this one another DATA_DIR. The lock of a process that is gone (on another " +
  `host, or one that can not be asked) ends ${STALE_MS / 1000} s after its last sign of life`;

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
