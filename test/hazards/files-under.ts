import type { Dirent } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** All files under a folder that others write and delete in meanwhile: path and bytes. */
export async function filesUnder(folder: string): Promise<{ readonly path: string; readonly bytes: Buffer }[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesUnder(path);
      if (!entry.isFile()) return [];
      return [{ path, bytes: await readFile(path).catch(() => Buffer.alloc(0)) }];
    }),
  );
  return found.flat();
}
