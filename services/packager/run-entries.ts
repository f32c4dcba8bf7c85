/** What a complete run's archive shows, read from its log in the order of index and part. */
import { open } from "node:fs/promises";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { redactUrls } from "../runtime/redact.js";
import { type ArchiveEntry, archiveEntry } from "./archive-entries.js";
import { createEntryNames } from "./entry-names.js";
import type { Ledger, Location } from "./ledger.js";
import { decodeOutcome } from "./outcome-head.js";
import { DamagedRecord, readRecord } from "./run-log.js";

export interface CompleteRun {
  readonly ledger: Ledger;
  /** Assets of the export; all are final in the ledger. */
  readonly total: number;
  /** The run's log; none when the run has no assets. */
  readonly logFile: string;
  readonly context: RunContext;
  readonly signal: AbortSignal;
}

interface WantedRecord extends Location {
  readonly contradiction: boolean;
}

/** Records are read in small groups, for one at a time would wait for the disk most of the time. */
const GROUP_RECORDS = 64;
const GROUP_BYTES = 4 * 2 ** 20;

/**
 * The same each time, in whatever order the outcomes arrived.
 * @throws DamagedRecord when the log has rotted; the disk's own errors; the signal's reason.
 */
export async function* runEntries({ ledger, total, logFile, context, signal }: CompleteRun): AsyncGenerator<ArchiveEntry> {
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
