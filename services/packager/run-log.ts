/**
 * The append-only log of one run and epoch: the packager's only truth about its assets (docs/delivery.md rule 16). Appended records are
 * held back until `commit`, which writes them all and syncs once.
 */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { DiskFull, translateDiskErrors } from "./disk-full.js";
import { syncFolder } from "./durable-files.js";
import type { Location } from "./ledger.js";
import { crcStart, decodeRecordHeader, encodeRecordHeader, OUTCOME_RECORD, RECORD_HEADER_BYTES } from "./record-format.js";
import { readFully, scanLog } from "./scan-log.js";

export interface RunLog {
  /** Bytes of the log as it is on disk. */
  readonly bytes: number;
  /** Adds an outcome to the next commit and says where it will lie. */
  append(payload: Uint8Array): Location;
  /**
   * Makes everything appended so far durable. After DiskFull nothing of it is there.
   * @throws DiskFull when there is no room; Fatal when the disk fails.
   */
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with this when a record that was good is not any more. */
export class DamagedRecord extends Error {
  override readonly name = "DamagedRecord";
}

/**
 * Opens a log, new or old, durably. An old one is read first: every good record goes to `onOutcome`, a torn tail is cut off.
 * @throws DiskFull; Fatal when the disk fails.
 */
export async function openRunLog(
  path: string,
  onOutcome: (payload: Buffer, location: Location) => void,
): Promise<{ readonly log: RunLog; readonly cut: number; readonly damaged: number }> {
  return translateDiskErrors(async () => {
    const file = await open(path, "a+").then(async (created) => {
      await created.close();
      return open(path, "r+");
    });
    try {
      const { goodEnd, damaged } = await scanLog(file, (type, payload, location) => {
        if (type === OUTCOME_RECORD) onOutcome(payload, location);
      });
      const cut = (await file.stat()).size - goodEnd;
      if (cut > 0) await file.truncate(goodEnd);
      await file.sync();
      await syncFolder(dirname(path));
      return { log: appendTo(file, goodEnd), cut, damaged };
    } catch (error) {
      await file.close().catch(() => undefined);
      throw error;
    }
  });
}

/** A log that appends to `file` behind its first `size` bytes. */
export function appendTo(file: FileHandle, size: number): RunLog {
  let committed = size;
  let end = size;
  let pending: Uint8Array[] = [];
  return {
    get bytes() {
      return committed;
    },
    append(payload) {
      const header = encodeRecordHeader(OUTCOME_RECORD, payload);
      const location = { offset: end, length: header.length + payload.length };
      pending.push(header, payload);
      end += location.length;
      return location;
    },
    async commit() {
      if (pending.length === 0) return;
      const batch = Buffer.concat(pending);
      pending = [];
      try {
        await translateDiskErrors(async () => {
          await writeFully(file, batch, committed);
          await file.datasync();
        });
        committed += batch.length;
      } catch (error) {
        // A half-written batch must not stay behind what is appended next; where even this fails, reading cuts it off.
        if (error instanceof DiskFull) await file.truncate(committed).catch(() => undefined);
        end = committed;
        throw error;
      }
    },
    close: () => file.close(),
  };
}

/**
 * Reads the payload of one committed record.
 * @throws DamagedRecord when its bytes have changed since.
 */
export async function readRecord(file: FileHandle, { offset, length }: Location): Promise<Buffer> {
  const bytes = await readFully(file, offset, length);
  const header = decodeRecordHeader(bytes);
  const payload = bytes.subarray(RECORD_HEADER_BYTES);
  if (!header || header.length !== payload.length || crc32(payload, crcStart(header.length, header.type)) !== header.crc) {
    throw new DamagedRecord(`the record at byte ${offset} of the log is damaged`);
  }
  return payload;
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
