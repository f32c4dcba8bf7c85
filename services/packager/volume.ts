/**
 * The packager's volume:
 *
 *     ledger-id                    minted when the volume is new; another id tells the gateway that everything here was lost
 *     runs/<run>.<epoch>/          outcomes.log, archive.zip, *.partial
 *     trash/                       what is being deleted
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ulid } from "ulid";
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
  const ledgerId = await readOrMintLedgerId(root);
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

async function readOrMintLedgerId(root: string): Promise<string> {
  const file = join(root, "ledger-id");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    // A disk that fails is no new volume: another id would have every run published again.
    if (isMissing(error)) return "";
    throw error;
  });
  if (text.trim() !== "") return text.trim();
  const minted = ulid();
  await writeFile(`${file}.partial`, `${minted}\n`);
  await publishFile(`${file}.partial`, file);
  return minted;
}
