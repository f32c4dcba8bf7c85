/** Freezes a downloaded export: from then on it is the run's immutable truth (docs/delivery.md rule 2). Reading it back: read-rows.ts. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { type ArchiveLimits, locateExportText, readExportText } from "./export-archive.js";
import { RowBlock } from "./export-rows.js";
import { HubFailure } from "./hub.js";
import { offsetsFile, writeRowOffsets } from "./row-offsets.js";
import { createRowSplitter } from "./split-rows.js";

/** An asset's index is a 32-bit number on the wire. */
const MAX_ROWS = 0xffff_ffff;

export interface ExportLimits extends ArchiveLimits {
  /** A longer row stands in the frozen file as `tooLongRow` (proto/too-long-row.ts), so that the asset is rejected and not the export. */
  readonly maxLineBytes: number;
}

export interface FrozenExport {
  readonly rows: number;
  /** Of the frozen file. */
  readonly bytes: number;
}

/**
 * Writes the rows of the export in `downloaded` (zip archive, NDJSON or a JSON array) to `target`, one row per line, each ended by
 * `\n`. Rows stay the bytes they are, readable or not. When it resolves, both the file and its name are on disk; before that, nothing
 * of it is at `target`.
 * @throws HubFailure, in a user's words, when the export is damaged or over a limit; the signal's reason; system errors as they are.
 */
export async function freezeExport(downloaded: string, target: string, limits: ExportLimits, signal: AbortSignal): Promise<FrozenExport> {
  const partial = partialFile(target);
  try {
    const block = await withFile(downloaded, "r", (source) =>
      withFile(partial, "w", (output) => writeRows(source, output, limits, signal)),
    );
    await writeRowOffsets(target, block.checkpoints, block.bytes);
    signal.throwIfAborted();
    await rename(partial, target);
    await withFile(dirname(target), "r", (folder) => folder.sync());
    return { rows: block.rows, bytes: block.bytes };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Where the export of `target` is downloaded to, before it is frozen there. */
export function downloadFile(target: string): string {
  return `${target}.download`;
}

/** Deletes a frozen export, and what a process left of it that was killed while it was made. None there is fine. */
export async function deleteExport(target: string): Promise<void> {
  for (const file of [target, offsetsFile(target), partialFile(target), downloadFile(target)]) await rm(file, { force: true });
}

function partialFile(target: string): string {
  return `${target}.partial`;
}

async function writeRows(source: FileHandle, output: FileHandle, limits: ExportLimits, signal: AbortSignal): Promise<RowBlock> {
  const text = await locateExportText(source, limits);
  const block = new RowBlock(limits.maxLineBytes);
  const splitter = createRowSplitter(block);
  const drain = async () => {
    if (block.rows > MAX_ROWS) throw new HubFailure(`The export has more than ${MAX_ROWS} rows. Export fewer batches or stages at a time.`);
    await output.writeFile(block.finished());
    block.drop();
  };
  for await (const chunk of readExportText(source, text, limits, signal)) {
    splitter.push(chunk);
    await drain();
  }
  splitter.end();
  await drain();
  await output.sync();
  return block;
}

async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
