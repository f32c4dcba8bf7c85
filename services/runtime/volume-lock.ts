/**
 * Two processes never share a volume (docs/delivery.md rule 20): a lock file names the process that has it, and is touched as long
 * as that process lives. It works on network volumes too, where locks of the kernel do not reliably.
 */
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, Fatal } from "./errors.js";

const LOCK = "maskline.lock";
/** Who replaces a stale lock has this file meanwhile, so that only one does. */
const TAKEOVER = "maskline.lock.takeover";

const REFRESH_MS = 5_000;
const STALE_MS = 30_000;

/** A lock may be released, or a crashed takeover swept, between two looks. */
const ATTEMPTS = 5;
const PAUSE_MS = 50;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly id: string;
}

interface FoundLock {
  /** Undefined: the file is being written, or is not one of ours. */
  readonly owner: Owner | undefined;
  /** Time since the owner's last sign of life. */
  readonly ageMs: number;
}

export interface VolumeLockOptions {
  /** Called once when another process took the volume, or the lock could not be kept: stop at once, write nothing more. */
  readonly onLost: (error: Fatal) => void;
  /** Milliseconds between signs of life. Only tests change it. */
  readonly refreshMs?: number;
}

export interface VolumeLock {
  /** Gives the volume back. Idempotent. */
  release(): Promise<void>;
}

/** Ids of the locks that this very process holds: its pid alone does not tell it from an earlier life (pid 1 of a container). */
const heldHere = new Set<string>();

/**
 * Locks a folder for this process, making it if it is missing. The lock of a process that is known to be dead, or that gave no sign of
 * life for 30 seconds, is taken over.
 * @throws Fatal that says who holds it, or why it can not be locked. It does not wait: the orchestrator starts the process again.
 */
export async function lockVolume(folder: string, { onLost, refreshMs = REFRESH_MS }: VolumeLockOptions): Promise<VolumeLock> {
  const owner: Owner = { host: hostname(), pid: process.pid, startedAt: new Date().toISOString(), id: randomUUID() };
  heldHere.add(owner.id);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await acquire(folder, owner);
  } catch (error) {
    heldHere.delete(owner.id);
    if (error instanceof Fatal) throw error;
    throw new Fatal(`the volume ${folder} can not be locked; it must be a folder that this process may write to`, { cause: error });
  }
  return keep(folder, owner, onLost, refreshMs);
}

async function acquire(folder: string, owner: Owner): Promise<void> {
  const path = join(folder, LOCK);
  let found: FoundLock | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (attempt > 1) await sleep(PAUSE_MS);
    if (await createExclusively(path, owner)) return;
    found = await look(path);
    if (found === undefined) continue;
    if (!isStale(found)) break;
    if (await takeOver(folder, owner)) return;
  }
  throw new Fatal(heldMessage(folder, found));
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
  // Passing trouble of the volume is survived as long as nobody can think that this process is dead.
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
    return { owner: parseOwner(content), ageMs: Date.now() - (await stat(path)).mtimeMs };
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function parseOwner(content: string): Owner | undefined {
  try {
    const { host, pid, startedAt, id } = JSON.parse(content) as Partial<Record<keyof Owner, unknown>>;
    if (typeof host !== "string" || typeof startedAt !== "string" || typeof id !== "string") return undefined;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 1) return undefined;
    return { host, pid, startedAt, id };
  } catch {
    return undefined;
  }
}

function isStale({ owner, ageMs }: FoundLock): boolean {
  if (owner && heldHere.has(owner.id)) return false;
  if (ageMs > STALE_MS) return true;
  if (owner === undefined || owner.host !== hostname()) return false;
  return owner.pid === process.pid || isDead(owner.pid);
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it lives, as another user.
    return hasCode(error, "ESRCH");
  }
}

function heldMessage(folder: string, found: FoundLock | undefined): string {
  const holder = found?.owner ? describeOwner(found.owner) : "a process that did not write its name";
  const age = found ? `, last sign of life ${(found.ageMs / 1000).toFixed(1)} s ago` : "";
  return (
    `the volume ${folder} is held by ${holder}${age}. Two processes must not share it: stop the other one, or give this one another ` +
    `DATA_DIR. The lock of a process that is gone (on another host, or one that can not be asked) ends ${STALE_MS / 1000} s after its last sign of life`
  );
}

function describeOwner({ host, pid, startedAt }: Owner): string {
  return `process ${pid} on ${host} since ${startedAt}`;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
