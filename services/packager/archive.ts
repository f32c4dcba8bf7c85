/**
 * Writes a zip as a stream: stored, zip64 where needed, nothing in it that tells when or by whom it was made. The only import of archiver.
 */
import { createReadStream } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { ZipArchive } from "archiver";
import { createBlockWriter } from "./block-writer.js";
import { fileBytes } from "./durable-files.js";

export interface ArchiveWriter {
  /** Adds an entry; waits while too much is on its way to the disk. */
  append(name: string, content: Buffer): Promise<void>;
  /** Adds a file of any size. */
  appendFile(name: string, file: string): Promise<void>;
  /** Writes the directory, syncs and closes. */
  finish(): Promise<void>;
  /** Gives up; the file is left as it is. */
  abort(): Promise<void>;
}

/** The first instant that a zip can name, so that the same content gives the same bytes. */
const FIXED_DATE = new Date(Date.UTC(1980, 0, 1));
const FIXED_MODE = 0o644;

/** archiver queues without bound, so what is on its way to the disk is bounded here: in entries, and in bytes. */
const MAX_QUEUED_ENTRIES = 64;
const MAX_WAITING_BYTES = 16 * 2 ** 20;

/**
 * A stored entry that comes as a stream has its size behind it, which readers that do not seek can not read. So only what is too large
 * for memory comes as one.
 */
const MAX_BUFFERED_FILE = 32 * 2 ** 20;

/** Creates or replaces `file`. */
export async function createArchive(file: string): Promise<ArchiveWriter> {
  const handle = await open(file, "w");
  const archive = new ZipArchive({ store: true, forceLocalTime: false });
  /** Bytes of each entry that archiver has not passed on yet, in order. */
  const queued: number[] = [];
  let queuedBytes = 0;
  let ended = false;
  let failure: Error | undefined;
  const wakes = new Set<() => void>();
  const proceed = () => {
    for (const wake of wakes) wake();
    wakes.clear();
  };
  const fail = (error: Error) => {
    failure ??= error;
    proceed();
  };
  const writer = createBlockWriter(handle, (error) => (error ? fail(error) : proceed()));
  archive.on("data", writer.take);
  archive.on("entry", () => {
    queuedBytes -= queued.shift() ?? 0;
    proceed();
  });
  archive.on("end", () => {
    ended = true;
    proceed();
  });
  archive.on("error", fail);
  archive.on("warning", fail);

  async function waitUntil(isReached: () => boolean): Promise<void> {
    while (!failure && !isReached()) await new Promise<void>((resolve) => wakes.add(resolve));
    if (failure) throw failure;
  }

  async function add(name: string, content: Buffer | Readable, bytes: number): Promise<void> {
    await waitUntil(() => queued.length < MAX_QUEUED_ENTRIES && queuedBytes + writer.waiting() < MAX_WAITING_BYTES);
    queued.push(bytes);
    queuedBytes += bytes;
    archive.append(content, { name, date: FIXED_DATE, mode: FIXED_MODE });
  }

  /** A file that is read no faster than the archive is written. */
  async function* heldBack(source: string): AsyncGenerator<Buffer> {
    for await (const chunk of createReadStream(source)) {
      await waitUntil(() => writer.waiting() < MAX_WAITING_BYTES);
      yield chunk;
    }
  }

  return {
    append: (name, content) => add(name, content, content.length),
    async appendFile(name, source) {
      const bytes = (await fileBytes(source)) ?? 0;
      if (bytes <= MAX_BUFFERED_FILE) return add(name, await readFile(source), bytes);
      return add(name, Readable.from(heldBack(source), { objectMode: false }).on("error", fail), 0);
    },
    async finish() {
      archive.finalize().catch(fail);
      await waitUntil(() => ended);
      await writer.flush();
      await handle.sync();
      await handle.close();
    },
    async abort() {
      fail(new Error("the archive is given up"));
      archive.abort();
      await writer.flush().catch(() => undefined);
      await handle.close().catch(() => undefined);
    },
  };
}
