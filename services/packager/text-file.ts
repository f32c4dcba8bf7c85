/** A temporary text file that is written in large blocks. */
import { open, rm } from "node:fs/promises";
import { createBlockWriter } from "./block-writer.js";

export interface TextFile {
  readonly path: string;
  write(text: string): Promise<void>;
  /** Writes what is left; gives the length of all in bytes. */
  end(): Promise<number>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

const MAX_WAITING_TEXT = 2 ** 20;

/** Creates or replaces the file. */
export async function openTextFile(path: string): Promise<TextFile> {
  const file = await open(path, "w");
  // A failure is thrown by `flush`.
  const writer = createBlockWriter(file, () => undefined);
  let bytes = 0;
  return {
    path,
    async write(text) {
      const chunk = Buffer.from(text);
      bytes += chunk.length;
      writer.take(chunk);
      if (writer.waiting() > MAX_WAITING_TEXT) await writer.flush();
    },
    async end() {
      await writer.flush();
      return bytes;
    },
    async discard() {
      await file.close();
      await rm(path, { force: true });
    },
  };
}
