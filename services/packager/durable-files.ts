import { open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes the names in a folder durable: a new or renamed file is only there after a crash when its folder was synced. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a finished temporary file its final name, durably: readers see the old, the new or nothing, never a part. */
export async function publishFile(partial: string, file: string): Promise<void> {
  const handle = await open(partial, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  await syncFolder(dirname(file));
}

/** The size of a file in bytes, or undefined when there is none. */
export async function fileBytes(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether an error of the file system says that there is no such file; any other says nothing about that. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
