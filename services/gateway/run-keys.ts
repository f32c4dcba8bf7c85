/**
 * The runs' own keys, a small file each: what the store holds of a run is sealed with its key, so that unlinking one file erases it all,
 * also what is left of it in free pages of the database (docs/delivery.md rule 9).
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";

export interface RunKeys {
  /** Undefined: it has none, or it was erased. */
  get(run: string): Buffer | undefined;
  /** Resolves when the key is on disk. */
  create(run: string): Promise<Buffer>;
  /** Resolves when the file is gone for good. None there is fine. */
  erase(run: string): Promise<void>;
  /** Erases the keys of all runs but these: a process that was killed while it erased one, or before it stored the run, left them. */
  keepOnly(isNeeded: (run: string) => boolean): void;
}

const KEY_BYTES = 32;

/** Opens or creates the folder of keys; nobody but its owner can read it. */
export function openRunKeys(folder: string): RunKeys {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const keys = new Map(readdirSync(folder).map((run) => [run, readFileSync(join(folder, run))]));
  return {
    get: (run) => keys.get(run),
    async create(run) {
      const key = randomBytes(KEY_BYTES);
      const file = await open(join(folder, run), "wx", 0o600);
      try {
        await file.writeFile(key);
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(folder);
      keys.set(run, key);
      return key;
    },
    async erase(run) {
      if (!keys.delete(run)) return;
      await rm(join(folder, run), { force: true });
      await syncFolder(folder);
    },
    keepOnly(isNeeded) {
      for (const run of [...keys.keys()].filter((known) => !isNeeded(known))) {
        keys.delete(run);
        rmSync(join(folder, run), { force: true });
      }
    },
  };
}

/** A file that was created or unlinked is only there, or gone, after a power cut when its folder was synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
