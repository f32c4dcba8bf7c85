/** Reads rows back from a frozen export (export-store.ts), as the bytes they are. The hot path of the gateway: no text is decoded. */
import { type FileHandle, open } from "node:fs/promises";
import type { IndexRange } from "../../proto/gen/maskline/v1/gateway.js";
import { checkpointBefore, readRowOffsets } from "./row-offsets.js";

const LINE_FEED = 0x0a;
const READ_BYTES = 1024 * 1024;

export interface StoredRow {
  /** From 0. */
  readonly index: number;
  /** Without its line ending. It may share memory with the rows of its batch. */
  readonly row: Buffer;
}

export interface RowSelection {
  /** Rows before it are left out. */
  readonly fromRow: number;
  /** Only these rows; ascending ranges that do not overlap. Absent: all. */
  readonly wanted?: readonly IndexRange[];
}

/**
 * The selected rows in ascending order, in batches of what one read of `readBytes` brings, never empty. Nothing is read ahead of the
 * consumer. Rows that the file does not have are left out silently.
 * @throws Error when the file ends within a row, the signal's reason when aborted, or a system error of reading.
 */
export async function* readRows(
  frozen: string,
  selection: RowSelection,
  signal: AbortSignal,
  readBytes = READ_BYTES,
): AsyncGenerator<readonly StoredRow[], void, undefined> {
  const nextWanted = selector(selection);
  const file = await open(frozen, "r");
  try {
    const offsets = await readRowOffsets(frozen, (await file.stat()).size);
    /** The row in progress, the pieces of it that were read, and where to read on. */
    let row = 0;
    let pieces: Buffer[] = [];
    let position = 0;
    for (let next = nextWanted(0); next !== undefined; next = nextWanted(row)) {
      signal.throwIfAborted();
      const checkpoint = checkpointBefore(offsets, next);
      if (checkpoint.row > row) {
        row = checkpoint.row;
        pieces = [];
        position = checkpoint.offset;
      }
      const chunk = await readChunk(file, position, readBytes);
      if (chunk.length === 0) return endOfFile(pieces);
      position += chunk.length;
      const batch: StoredRow[] = [];
      let from = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
        if (nextWanted(row) === row) batch.push({ index: row, row: joined(pieces, chunk.subarray(from, end)) });
        pieces = [];
        row++;
        from = end + 1;
      }
      pieces.push(chunk.subarray(from));
      if (batch.length > 0) yield withoutWaste(batch, chunk.length);
    }
  } finally {
    await file.close();
  }
}

/** Answers the first wanted row at or behind `row`, or undefined when there is none. To be asked with ascending rows. */
function selector({ fromRow, wanted }: RowSelection): (row: number) => number | undefined {
  const ranges = wanted ?? [{ first: 0, end: Number.POSITIVE_INFINITY }];
  let k = 0;
  return (row) => {
    const from = Math.max(row, fromRow);
    for (let range = ranges[k]; range !== undefined; range = ranges[++k]) {
      const first = Math.max(from, range.first);
      if (first < range.end) return first;
    }
    return undefined;
  };
}

/** Every chunk is memory of its own, for its rows are handed out. */
async function readChunk(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(bytes), 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}

function joined(pieces: readonly Buffer[], last: Buffer): Buffer {
  return pieces.length === 0 ? last : Buffer.concat([...pieces, last]);
}

/** A few rows must not hold the memory of a whole chunk: then they are copied. */
function withoutWaste(batch: readonly StoredRow[], chunkBytes: number): readonly StoredRow[] {
  const used = batch.reduce((sum, { row }) => sum + row.length, 0);
  return used * 2 >= chunkBytes ? batch : batch.map(({ index, row }) => ({ index, row: Buffer.from(row) }));
}

function endOfFile(pieces: readonly Buffer[]): void {
  if (pieces.some((piece) => piece.length > 0)) throw new Error("the frozen export ends within a row: its file is damaged");
}
