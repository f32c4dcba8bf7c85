import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { Location } from "./ledger.js";
import { crcStart, decodeRecordHeader, RECORD_HEADER_BYTES, RECORD_MAGIC, type RecordHeader } from "./record-format.js";

/** How a log was found. */
export interface ScanResult {
  /** Where the last good record ends; what follows is a torn tail. */
  readonly goodEnd: number;
  /** Places before that where something damaged was skipped. */
  readonly damaged: number;
}

const WINDOW_BYTES = 2 ** 20;

/**
 * Reads a log from its start and hands every good record to `onRecord`, in order; its location is the record's with header. A damaged
 * record is skipped: reading goes on at the next magic. Memory stays at a window plus the largest record.
 */
export async function scanLog(
  file: FileHandle,
  onRecord: (type: number, payload: Buffer, location: Location) => void,
): Promise<ScanResult> {
  const window = readThroughWindow(file, (await file.stat()).size);
  let position = 0;
  let goodEnd = 0;
  let damaged = 0;
  let skipped = 0;
  while (position + RECORD_HEADER_BYTES <= window.size) {
    const header = decodeRecordHeader(await window.read(position, RECORD_HEADER_BYTES));
    const end = position + RECORD_HEADER_BYTES + (header?.length ?? 0);
    if (header && end <= window.size && (await crcMatches(window, position, header))) {
      const payload = await window.read(position + RECORD_HEADER_BYTES, header.length);
      onRecord(header.type, payload, { offset: position, length: end - position });
      damaged += skipped;
      skipped = 0;
      goodEnd = end;
      position = end;
    } else {
      skipped = 1;
      position = await nextMagic(window, position + 1);
    }
  }
  return { goodEnd, damaged };
}

interface Window {
  readonly size: number;
  /** The bytes [position, position + length), as far as the file has them; valid until the next read. */
  read(position: number, length: number): Promise<Buffer>;
}

function readThroughWindow(file: FileHandle, size: number): Window {
  let start = 0;
  let held: Buffer = Buffer.alloc(0);
  return {
    size,
    async read(position, length) {
      const wanted = Math.min(length, size - position);
      if (position < start || position + wanted > start + held.length) {
        held = await readFully(file, position, Math.min(Math.max(wanted, WINDOW_BYTES), size - position));
        start = position;
      }
      return held.subarray(position - start, position - start + wanted);
    },
  };
}

/** Reads exactly `length` bytes, or fewer where the file ends. */
export async function readFully(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** In pieces, for a damaged length may claim far more than a record has. */
async function crcMatches(window: Window, position: number, header: RecordHeader): Promise<boolean> {
  let crc = crcStart(header.length, header.type);
  for (let done = 0; done < header.length; ) {
    const piece = await window.read(position + RECORD_HEADER_BYTES + done, Math.min(WINDOW_BYTES, header.length - done));
    if (piece.length === 0) return false;
    crc = crc32(piece, crc);
    done += piece.length;
  }
  return crc === header.crc;
}

async function nextMagic(window: Window, from: number): Promise<number> {
  for (let position = from; position < window.size; position += WINDOW_BYTES - RECORD_MAGIC.length) {
    const piece = await window.read(position, WINDOW_BYTES);
    const found = piece.indexOf(RECORD_MAGIC);
    if (found >= 0) return position + found;
  }
  return window.size;
}
