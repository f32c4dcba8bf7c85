/**
 * The archive of a complete run: masks in asset order, the class mapping, the manifests. The same outcomes give the same bytes, in whatever
 * order they arrived; nothing in it tells times, attempts, hosts or run ids (docs/delivery.md rule 19, docs/archive.md).
 */
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { redactUrls } from "../runtime/redact.js";
import { type ArchiveWriter, createArchive } from "./archive.js";
import { type ArchiveEntry, archiveEntry } from "./archive-entries.js";
import { createBlockWriter } from "./block-writer.js";
import { classMappingJson, classMappingText } from "./class-mapping.js";
import { fileBytes, publishFile } from "./durable-files.js";
import { ARCHIVE_FILES, createEntryNames } from "./entry-names.js";
import type { Ledger, Location } from "./ledger.js";
import { manifestLine, TABLE_HEADER, tableRow } from "./manifest.js";
import { decodeOutcome } from "./outcome-head.js";
import { DamagedRecord, readRecord } from "./run-log.js";

export interface ArchiveInput {
  readonly ledger: Ledger;
  /** Assets of the export; all are final in the ledger. */
  readonly total: number;
  /** The run's folder: archive and temporary files go there. */
  readonly folder: string;
  /** The run's log; none when the run has no assets. */
  readonly logFile: string;
  readonly context: RunContext;
  readonly signal: AbortSignal;
}

export interface FinishedArchive {
  readonly file: string;
  readonly bytes: number;
}

const ARCHIVE = "archive.zip";

/**
 * Writes the archive, or finds the one that was written before. It appears under its name only when it is whole and on the disk.
 * @throws DamagedRecord when the log has rotted; the disk's own errors; the signal's reason.
 */
export async function writeArchive(input: ArchiveInput): Promise<FinishedArchive> {
  const file = join(input.folder, ARCHIVE);
  const before = await fileBytes(file);
  if (before !== undefined) return { file, bytes: before };
  const partial = `${file}.partial`;
  const archive = await createArchive(partial);
  try {
    await fill(archive, input);
    await publishFile(partial, file);
  } catch (error) {
    await archive.abort();
    await rm(partial, { force: true });
    throw error;
  }
  return { file, bytes: (await fileBytes(file)) ?? 0 };
}

async function fill(archive: ArchiveWriter, input: ArchiveInput): Promise<void> {
  const { folder, context } = input;
  const inColour = context.mode === ColourMode.RGB;
  await archive.append(ARCHIVE_FILES.classMappingJson, Buffer.from(classMappingJson(context.classes, inColour)));
  await archive.append(ARCHIVE_FILES.classMappingText, Buffer.from(classMappingText(context.classes, inColour)));
  await withTextFile(join(folder, "manifest.ndjson.partial"), (lines) =>
    withTextFile(join(folder, "manifest.csv.partial"), async (table) => {
      await table.write(TABLE_HEADER);
      for await (const { row, mask } of entriesOf(input)) {
        if (mask) await archive.append(mask.name, mask.png);
        await lines.write(manifestLine(row));
        await table.write(tableRow(row));
      }
      await lines.end();
      await table.end();
      await archive.appendFile(ARCHIVE_FILES.manifestLines, lines.path);
      await archive.appendFile(ARCHIVE_FILES.manifestTable, table.path);
      // They are read until then.
      await archive.finish();
    }),
  );
}

interface WantedRecord extends Location {
  readonly contradiction: boolean;
}

/** Records are read in small groups, for one at a time would wait for the disk most of the time. */
const GROUP_RECORDS = 64;
const GROUP_BYTES = 4 * 2 ** 20;

async function* entriesOf({ ledger, total, logFile, context, signal }: ArchiveInput): AsyncGenerator<ArchiveEntry> {
  if (total === 0) return;
  const nameOf = createEntryNames();
  const log = await open(logFile, "r");
  try {
    for await (const group of readAhead(groupsOf(recordsOf(ledger, total)), (record) => readRecord(log, record))) {
      signal.throwIfAborted();
      for (const { record, payload } of group) {
        const outcome = decodeOutcome(payload);
        if (!outcome) throw new DamagedRecord("a record of the log is no outcome");
        if (outcome.outcome?.$case === "rejected") outcome.outcome.value.reason = redactUrls(outcome.outcome.value.reason);
        yield archiveEntry(outcome, { classes: context.classes, nameOf, contradiction: record.contradiction });
      }
    }
  } finally {
    await log.close();
  }
}

interface ReadRecord {
  readonly record: WantedRecord;
  readonly payload: Buffer;
}

/** Reads the records of one group while the group before is used. */
async function* readAhead(groups: Iterable<WantedRecord[]>, read: (record: WantedRecord) => Promise<Buffer>): AsyncGenerator<ReadRecord[]> {
  let before: Promise<ReadRecord[]> | undefined;
  for (const group of groups) {
    const reading = Promise.all(group.map(async (record) => ({ record, payload: await read(record) })));
    // Awaited one turn later; a failure until then is no unhandled one.
    reading.catch(() => undefined);
    if (before) yield await before;
    before = reading;
  }
  if (before) yield await before;
}

function* recordsOf(ledger: Ledger, total: number): Generator<WantedRecord> {
  for (let index = 0; index < total; index++) {
    const final = ledger.final(index);
    if (!final) throw new Error(`asset ${index} is not final`);
    if (final.kind === "masks") for (const mask of final.masks) yield { ...mask, contradiction: false };
    else yield { ...final.record, contradiction: final.kind === "rejected" && final.contradiction };
  }
}

function* groupsOf(records: Iterable<WantedRecord>): Generator<WantedRecord[]> {
  let group: WantedRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (group.length === GROUP_RECORDS || (group.length > 0 && bytes + record.length > GROUP_BYTES)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(record);
    bytes += record.length;
  }
  if (group.length > 0) yield group;
}

interface TextFile {
  readonly path: string;
  write(text: string): Promise<void>;
  /** Writes what is left. */
  end(): Promise<void>;
}

const MAX_WAITING_TEXT = 2 ** 20;

/** Gives a text file to write to, and removes it afterwards. */
async function withTextFile(path: string, use: (text: TextFile) => Promise<void>): Promise<void> {
  const file = await open(path, "w");
  // A failure is thrown by `flush`.
  const writer = createBlockWriter(file, () => undefined);
  try {
    await use({
      path,
      async write(text) {
        writer.take(Buffer.from(text));
        if (writer.waiting() > MAX_WAITING_TEXT) await writer.flush();
      },
      end: writer.flush,
    });
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
