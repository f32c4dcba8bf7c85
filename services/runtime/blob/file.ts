/**
 * The file adapter of the blob port: a folder on one machine, or on a volume that several share.
 *
 *     <folder>/<run>/<rest, with ~ for />     a blob
 *     <folder>/~tmp/                          what is being written or deleted
 *
 * `~` is in no key. A run's folder is flat, so a key may continue another one (`r/1` and `r/1/p0`), and the folder's own time is
 * that of its youngest blob.
 */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fatal, Retry } from "../errors.js";
import type { Blobs } from "./blob.js";
import { checkRunName, flatName, isRunName, splitBlobKey } from "./key.js";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY = "~tmp";
const DELETED_PREFIX = "deleted-";

/** Anything that is still being written is younger, also by the clock of another machine that shares the folder. */
const LEFTOVER_AGE_MS = 60 * 60_000;

/** How often a folder is made again because it is being deleted at the same time. */
const PUT_ATTEMPTS = 5;

/** Failures that will not pass by themselves: somebody has to change rights, the mount or the setting. */
const REFUSED = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENODEV", "ENXIO"]);

/**
 * Opens the store, makes the folder if it is missing and removes what a killed process left half written.
 * @throws Fatal when the folder can not be used; Retry when it can not be for now.
 */
export async function createFileBlobs(folder: string): Promise<Blobs> {
  const temporary = join(folder, TEMPORARY);
  await translated(folder, async () => {
    await mkdir(temporary, { recursive: true, mode: FOLDER_MODE });
    await removeLeftovers(temporary);
  });

  return {
    put: async (key, body) => {
      const { run, rest } = splitBlobKey(key);
      const written = join(temporary, randomUUID());
      await translated(folder, async () => {
        try {
          await makingFolder(temporary, () => writeDurably(written, body));
          await makingFolder(join(folder, run), () => rename(written, join(folder, run, flatName(rest))));
        } catch (error) {
          await rm(written, { force: true });
          throw error;
        }
      });
    },

    get: async (key) => {
      const { run, rest } = splitBlobKey(key);
      return translated(folder, () => unlessMissing(readFile(join(folder, run, flatName(rest)))));
    },

    deleteRun: async (run) => {
      checkRunName(run);
      // Renamed first, so that the run is gone at once and a kill in between leaves nothing that looks like a run.
      const deleted = join(temporary, `${DELETED_PREFIX}${randomUUID()}`);
      await translated(folder, async () => {
        await unlessMissing(rename(join(folder, run), deleted));
        await rm(deleted, { recursive: true, force: true });
      });
    },

    listRuns: () =>
      translated(folder, async () => {
        const entries = await readdir(folder, { withFileTypes: true });
        const runs = entries.filter((entry) => entry.isDirectory() && isRunName(entry.name)).map((entry) => entry.name);
        const listed: { readonly run: string; readonly youngestMs: number }[] = [];
        for (const run of runs) {
          const stats = await unlessMissing(stat(join(folder, run)));
          if (stats) listed.push({ run, youngestMs: stats.mtimeMs });
        }
        return listed;
      }),
  };
}

/** What a failure of the file system means to the loop. Exported for its test. */
export function fileBlobError(folder: string, error: unknown): Error {
  const code = errorCode(error);
  if (code === undefined) return error instanceof Error ? error : new Error(String(error));
  if (REFUSED.has(code)) {
    return new Fatal(`the blob folder ${folder} can not be used (${code}): check that it is a folder this process may write to`, {
      cause: error,
    });
  }
  const advice = code === "ENOSPC" || code === "EDQUOT" ? "it is full: free some space" : "it is tried again";
  return new Retry(`the blob folder ${folder} failed (${code}): ${advice}`, { cause: error });
}

async function translated<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileBlobError(folder, error);
  }
}

/** On the disk before it gets its name: otherwise a loss of power could leave the name with a part of the body. */
async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "wx", FILE_MODE);
    await file.writeFile(body);
    await file.datasync();
  } finally {
    await file?.close();
  }
}

/** Makes the folder when it is missing: for the first blob of a run, or because it was deleted meanwhile. */
async function makingFolder(folder: string, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (errorCode(error) !== "ENOENT" || attempt === PUT_ATTEMPTS) throw error;
      await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    }
  }
}

/** Deleted runs go whatever their age; files that are being written may be another process's. */
async function removeLeftovers(temporary: string): Promise<void> {
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    const stats = await unlessMissing(stat(path));
    if (stats && (name.startsWith(DELETED_PREFIX) || stats.mtimeMs < Date.now() - LEFTOVER_AGE_MS)) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
