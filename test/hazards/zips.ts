/** Zip archives as nobody should write them. */
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { crc32, createDeflateRaw, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly text: Buffer;
  /** What the archive says of the text's length, when that is a lie. */
  readonly claimedBytes?: number;
}

/** A zip with these entries, deflated; none at all is allowed too. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  return assemble(
    entries.map(({ name, text, claimedBytes = text.length }) => ({ name, packed: deflateRawSync(text), crc: crc32(text), claimedBytes })),
  );
}

/** A zip of one entry whose text never is in memory as a whole. */
export async function largeZip(chunks: () => Iterable<Buffer>): Promise<Buffer> {
  let crc = 0;
  let claimedBytes = 0;
  for (const chunk of chunks()) {
    crc = crc32(chunk, crc);
    claimedBytes += chunk.length;
  }
  const packed = await buffer(Readable.from(chunks()).pipe(createDeflateRaw({ level: 1 })));
  return assemble([{ name: "export.ndjson", packed, crc, claimedBytes }]);
}

interface PackedEntry {
  readonly name: string;
  readonly packed: Buffer;
  readonly crc: number;
  readonly claimedBytes: number;
}

function assemble(entries: readonly PackedEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, packed, crc, claimedBytes } of entries) {
    const title = Buffer.from(name);
    const sums = longs(crc, packed.length, claimedBytes);
    const shared = Buffer.concat([Buffer.from([20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0x58]), sums, shorts(title.length, 0)]);
    const local = Buffer.concat([longs(0x04034b50), shared, title, packed]);
    centrals.push(Buffer.concat([longs(0x02014b50), shorts(20), shared, Buffer.alloc(10), longs(offset), title]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const counts = shorts(0, 0, entries.length, entries.length);
  const end = Buffer.concat([longs(0x06054b50), counts, longs(directory.length, offset), shorts(0)]);
  return Buffer.concat([...locals, directory, end]);
}

/** An export of these rows, well made. */
export function exportZip(rows: readonly object[], name = "export.ndjson"): Buffer {
  return zipOf([{ name, text: Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join("")) }]);
}

function shorts(...values: readonly number[]): Buffer {
  return Buffer.from(new Uint16Array(values).buffer);
}

function longs(...values: readonly number[]): Buffer {
  return Buffer.from(new Uint32Array(values).buffer);
}
