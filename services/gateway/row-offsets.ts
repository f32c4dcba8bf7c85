/**
 * Where every CHECKPOINT_ROWS-th row of a frozen export begins, in a file beside it, so that a restart or a repair of gaps begins
 * near its first row. It is only a short cut: a file that is missing or damaged costs a scan from the start.
 */
import { open, readFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { CHECKPOINT_ROWS } from "./export-rows.js";

const NUMBER_BYTES = 8;
const CRC_BYTES = 4;

/** A row, and where it begins. */
export interface RowOffset {
  readonly row: number;
  readonly offset: number;
}

const START: RowOffset = { row: 0, offset: 0 };

export function offsetsFile(frozen: string): string {
  return `${frozen}.offsets`;
}

/** Writes and fsyncs the checkpoints of a frozen file of `bytes` bytes: 64-bit little-endian numbers, `bytes` last, then their CRC-32. */
export async function writeRowOffsets(frozen: string, checkpoints: readonly number[], bytes: number): Promise<void> {
  const numbers = [...checkpoints, bytes];
  const content = Buffer.alloc(numbers.length * NUMBER_BYTES + CRC_BYTES);
  numbers.forEach((number, k) => {
    content.writeBigUInt64LE(BigInt(number), k * NUMBER_BYTES);
  });
  content.writeUInt32LE(crc32(content.subarray(0, -CRC_BYTES)), content.length - CRC_BYTES);
  const file = await open(offsetsFile(frozen), "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The checkpoints of a frozen file that is `bytes` long, ascending from row 0. */
export async function readRowOffsets(frozen: string, bytes: number): Promise<readonly RowOffset[]> {
  const content = await readFile(offsetsFile(frozen)).catch(() => Buffer.alloc(0));
  const count = (content.length - CRC_BYTES) / NUMBER_BYTES;
  if (!Number.isInteger(count) || count < 1) return [START];
  const numbers = content.subarray(0, -CRC_BYTES);
  if (crc32(numbers) !== content.readUInt32LE(numbers.length)) return [START];
  const offsets = Array.from({ length: count }, (_, k) => Number(numbers.readBigUInt64LE(k * NUMBER_BYTES)));
  if (offsets.pop() !== bytes) return [START];
  return [START, ...offsets.map((offset, k) => ({ row: (k + 1) * CHECKPOINT_ROWS, offset }))];
}

/** The last checkpoint at or before `row`. */
export function checkpointBefore(offsets: readonly RowOffset[], row: number): RowOffset {
  return offsets[Math.min(Math.floor(row / CHECKPOINT_ROWS), offsets.length - 1)] ?? START;
}
