/**
 * The packager's volume:
 *
 *     packager-id                  whose it is: the runs on it are pinned to that packager
 *     ledger-id                    minted when the volume is new; another id tells the gateway that everything here was lost
 *     runs/<run>.<epoch>/          outcomes.log, archive.zip, volume-<number>.zip and volumes.json of a large archive, *.partial
 *     trash/                       what is being deleted
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
import { ConfigError } from "../runtime/config.js";
import { describeError } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import { isMissing, publishFile, syncFolder } from "./durable-files.js";
import { isRunId } from "./run-id.js";

export interface Volume {
  readonly ledgerId: string;
  /** The newest epoch of every run on the volume; older ones are deleted on the way. */
  list(): Promise<{ readonly run: string; readonly epoch: number }[]>;
  folderOf(run: string, epoch: number): string;
  /** Makes the folder, durably. */
  create(folder: string): Promise<void>;
  /** Takes a folder out of the way at once and deletes it in the background. None there is fine. */
  discard(folder: string): Promise<void>;
  /** Waits for deletions in the background. */
  close(): Promise<void>;
}

const RUN_FOLDER = /^(.+)\.(\d+)$/;

/** Opens the volume in `root`, which the caller has locked, or makes a new one there. */
export async function openVolume(root: string, log: Logger): Promise<Volume> {
  const runs = join(root, "runs");
  const trash = join(root, "trash");
  await mkdir(runs, { recursive: true });
  await rm(trash, { recursive: true, force: true });
  await mkdir(trash, { recursive: true });
  const ledgerId = await readOrMint(join(root, "ledger-id"), ulid);
  const deletions = new Set<Promise<void>>();
  let discarded = 0;

  async function discard(folder: string): Promise<void> {
    const doomed = join(trash, String(discarded++));
    try {
      await rename(folder, doomed);
    } catch (error) {
      if (isMissing(error)) return;
      throw error;
    }
    const deletion = rm(doomed, { recursive: true, force: true })
      .catch((error: unknown) => log.warn({ folder: doomed, error: describeError(error) }, "a finished run can not be deleted"))
      .finally(() => deletions.delete(deletion));
    deletions.add(deletion);
  }

  return {
    ledgerId,
    folderOf: (run, epoch) => join(runs, `${run}.${epoch}`),
    discard,
    async list() {
      const newest = new Map<string, number>();
      for (const [name, run, digits] of await namesOf(runs)) {
        const epoch = Number(digits);
        const other = newest.get(run);
        if (other !== undefined) await discard(join(runs, other > epoch ? name : `${run}.${other}`));
        if (other === undefined || epoch > other) newest.set(run, epoch);
      }
      return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([run, epoch]) => ({ run, epoch }));
    },
    async create(folder) {
      await mkdir(folder, { recursive: true });
      await syncFolder(runs);
    },
    async close() {
      await Promise.all(deletions);
    },
  };
}

async function namesOf(runs: string): Promise<[name: string, run: string, digits: string][]> {
  return (await readdir(runs)).flatMap((name): [string, string, string][] => {
    const match = RUN_FOLDER.exec(name);
    return match?.[1] && match[2] && isRunId(match[1]) ? [[name, match[1], match[2]]] : [];
  });
}

/**
 * The id of the packager whose volume is in `dataDir`. The first start decides it, so that a container that is made again under another
 * name goes on with its runs.
 * @param configured empty: the one that is there, or `derived`
 * @throws ConfigError when the volume is another packager's
 */
export async function packagerIdOn(dataDir: string, configured: string, derived: string): Promise<string> {
  const root = join(dataDir, "packager");
  const file = join(root, "packager-id");
  await mkdir(root, { recursive: true, mode: 0o700 });
  const kept = await readOrMint(file, () => configured || derived);
  if (configured === "" || configured === kept) return kept;
  throw new ConfigError([
    `PACKAGER_ID is ${JSON.stringify(configured)}, but the volume ${root} is that of the packager ${JSON.stringify(kept)}, which its runs ` +
      "are pinned to. Set PACKAGER_ID to that, or leave it empty. To rename the packager, let its sessions end, stop it, and delete " +
      file,
  ]);
}

async function readOrMint(file: string, mint: () => string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    // A disk that fails is no new volume: another id would have every run published again.
    if (isMissing(error)) return "";
    throw error;
  });
  if (text.trim() !== "") return text.trim();
  const minted = mint();
  await writeFile(`${file}.partial`, `${minted}\n`);
  await publishFile(`${file}.partial`, file);
  return minted;
}
