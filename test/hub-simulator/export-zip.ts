/** The zipped NDJSON behind `exportPath`, written as a stream: an export of any size never sits in memory. */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createDeflateRaw } from "node:zlib";

/** Rows of an export: objects become JSON, a string is a line as it is (also a broken one). */
export type RowSource = readonly unknown[] | (() => Iterable<unknown> | AsyncIterable<unknown>);

/** Stage ids or names, and batch names, that Hub is asked for; undefined: all. */
export interface RowFilter {
  readonly stages: readonly string[] | undefined;
  readonly batches: readonly string[] | undefined;
}

/** What asset URLs of a stored sample start with; becomes the simulator's own address. `.invalid` never resolves (RFC 2606). */
export const SAMPLE_ORIGIN = "https://hub.invalid";

const CHUNK_CHARS = 1 << 16;
const ENTRY_NAME = "export.ndjson";
const MAX_32_BITS = 2 ** 32 - 1;

/** Lines of a text file, split on line feeds only: U+2028 may stand inside a JSON string. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let bytes = Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      yield bytes.toString("utf8", 0, end);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield rest.toString("utf8");
}

function passes(row: unknown, { stages, batches }: RowFilter): boolean {
  if (typeof row !== "object" || row === null) return true;
  const { task, batches: own } = row as { task?: { stage?: unknown; stageId?: unknown } | null; batches?: unknown };
  const stage = [task?.stage, task?.stageId].filter((name) => typeof name === "string");
  if (stages !== undefined && stage.length > 0 && !stage.some((name) => stages.includes(name))) return false;
  return batches === undefined || (Array.isArray(own) && own.some((name) => batches.includes(name)));
}

function parseRow(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The export's text in chunks. A row that is not JSON, or names no stage, passes every filter: the plugin has to cope with it. */
async function* exportText(source: RowSource, filter: RowFilter, origin: string): AsyncGenerator<Buffer> {
  const filtering = filter.stages !== undefined || filter.batches !== undefined;
  let text = "";
  for await (const row of typeof source === "function" ? source() : source) {
    if (filtering && !passes(typeof row === "string" ? parseRow(row) : row, filter)) continue;
    const line = typeof row === "string" ? row : JSON.stringify(row);
    text += `${line.includes(SAMPLE_ORIGIN) ? line.replaceAll(SAMPLE_ORIGIN, origin) : line}\n`;
    if (text.length < CHUNK_CHARS) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

/**
 * Writes a zip with one deflated entry to `file`. Sizes follow the data in a descriptor, as in every zip that was streamed.
 * @param origin replaces SAMPLE_ORIGIN in the rows
 */
export async function writeExportZip(file: string, source: RowSource, filter: RowFilter, origin: string): Promise<void> {
  const output = await open(file, "w");
  try {
    const name = Buffer.from(ENTRY_NAME);
    const local = Buffer.concat([headerFields(0x04034b50, [20], { crc: 0, packed: 0, size: 0 }, name), name]);
    await output.write(local);
    const sums = await deflateTo(output, exportText(source, filter, origin));
    const descriptor = Buffer.alloc(16);
    [0x08074b50, sums.crc, sums.packed, sums.size].forEach((value, at) => {
      descriptor.writeUInt32LE(value, at * 4);
    });
    const central = Buffer.concat([headerFields(0x02014b50, [20, 20], sums, name), Buffer.alloc(14), name]);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1, 8);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(central.length, 12);
    end.writeUInt32LE(local.length + sums.packed + descriptor.length, 16);
    await output.write(Buffer.concat([descriptor, central, end]));
  } finally {
    await output.close();
  }
}

interface Sums {
  crc: number;
  packed: number;
  size: number;
}

async function deflateTo(output: FileHandle, text: AsyncIterable<Buffer>): Promise<Sums> {
  const sums: Sums = { crc: 0, packed: 0, size: 0 };
  await pipeline(
    Readable.from(text),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        sums.crc = crc32(chunk, sums.crc);
        sums.size += chunk.length;
        yield chunk;
      }
    },
    createDeflateRaw({ level: 1 }),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        sums.packed += chunk.length;
        await output.write(chunk);
      }
    },
  );
  if (sums.size > MAX_32_BITS) throw new Error("the simulated export is larger than 4 GiB; this zip writer has no zip64");
  return sums;
}

/** A local or central header up to the name's length: signature, versions, flags (sizes in a descriptor), deflate, a fixed date, sums. */
function headerFields(signature: number, versions: readonly number[], { crc, packed, size }: Sums, name: Buffer): Buffer {
  const shorts = [...versions, 0x0808, 8, 0, 0x5821];
  const header = Buffer.alloc(4 + shorts.length * 2 + 16);
  header.writeUInt32LE(signature, 0);
  shorts.forEach((value, at) => {
    header.writeUInt16LE(value, 4 + at * 2);
  });
  const at = 4 + shorts.length * 2;
  header.writeUInt32LE(crc, at);
  header.writeUInt32LE(packed, at + 4);
  header.writeUInt32LE(size, at + 8);
  header.writeUInt16LE(name.length, at + 12);
  return header;
}
