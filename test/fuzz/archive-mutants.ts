/** Exports as files: every form that Hub's may have, archives as they are and as they never should be, and what mutation makes of them. */
import { crc32, deflateRawSync } from "node:zlib";
import type { Dice } from "./dice.js";
import { mutateBytes } from "./mutate.js";
import { mutantRow, validRow } from "./row-mutants.js";

export interface ArchiveMutant {
  readonly file: Buffer;
  /** The rows that must come out, as JSON; undefined: the file was made wrong, and nothing needs to come out. */
  readonly rows: readonly string[] | undefined;
  /** How it was made, for tallies and messages. */
  readonly made: string;
}

/** Mutated files are told apart by this word in `made`. */
export const MUTATED = "mutated";

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

interface ZipOptions {
  readonly stored: boolean;
  /** Sizes and checksum follow the data, as in a zip that was streamed. */
  readonly descriptor: boolean;
  readonly zip64: boolean;
  readonly comment: Buffer;
  /** Before the archive, as in one that extracts itself. */
  readonly prefix: Buffer;
  readonly name: string;
  /** Entries behind the first. */
  readonly more: readonly Buffer[];
  /** What the archive says of its first entry instead of the truth. */
  readonly lies: { readonly size?: number; readonly packed?: number; readonly crc?: number; readonly offset?: number };
  readonly method?: number;
  readonly flags?: number;
}

const PLAIN: ZipOptions = {
  stored: false,
  descriptor: false,
  zip64: false,
  comment: Buffer.alloc(0),
  prefix: Buffer.alloc(0),
  name: "export.ndjson",
  more: [],
  lies: {},
};

/** A zip archive (APPNOTE.TXT 6.3), with whatever is asked for. */
function zipOf(content: Buffer, options: ZipOptions): Buffer {
  const bodies: Buffer[] = [options.prefix];
  const central: Buffer[] = [];
  let offset = options.prefix.length;
  for (const [at, text] of [content, ...options.more].entries()) {
    const made = entryOf(text, at === 0 ? options : { ...PLAIN, name: `more-${at}` }, offset);
    bodies.push(made.local);
    central.push(made.central);
    offset += made.local.length;
  }
  const directory = Buffer.concat(central);
  return Buffer.concat([...bodies, directory, endOf(central.length, directory.length, offset, options)]);
}

function entryOf(text: Buffer, options: ZipOptions, offset: number): { readonly local: Buffer; readonly central: Buffer } {
  const data = options.stored ? text : deflateRawSync(text, { level: 1 });
  const { size = text.length, packed = data.length, crc = crc32(text), offset: claimed = offset } = options.lies;
  const name = Buffer.from(options.name);
  const flags = options.flags ?? (options.descriptor ? 8 : 0);
  const method = options.method ?? (options.stored ? 0 : 8);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(options.zip64 ? 45 : 20, 4);
  local.writeUInt16LE(flags, 6);
  local.writeUInt16LE(method, 8);
  if (!options.descriptor) for (const [k, value] of [crc, packed, size].entries()) local.writeUInt32LE(value >>> 0, 14 + k * 4);
  local.writeUInt16LE(name.length, 26);

  const extra = options.zip64 ? zip64Extra(size, packed, claimed) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(options.zip64 ? 45 : 20, 6);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(method, 10);
  header.writeUInt32LE(crc >>> 0, 16);
  header.writeUInt32LE(options.zip64 ? 0xffffffff : packed >>> 0, 20);
  header.writeUInt32LE(options.zip64 ? 0xffffffff : size >>> 0, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(options.zip64 ? 0xffffffff : claimed >>> 0, 42);
  const parts = [local, name, data, ...(options.descriptor ? [descriptorOf(crc, packed, size)] : [])];
  return { local: Buffer.concat(parts), central: Buffer.concat([header, name, extra]) };
}

function descriptorOf(crc: number, packed: number, size: number): Buffer {
  const descriptor = Buffer.alloc(16);
  for (const [k, value] of [0x08074b50, crc, packed, size].entries()) descriptor.writeUInt32LE(value >>> 0, k * 4);
  return descriptor;
}

function zip64Extra(size: number, packed: number, offset: number): Buffer {
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  for (const [k, value] of [size, packed, offset].entries()) extra.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 4 + k * 8);
  return extra;
}

function endOf(entries: number, bytes: number, offset: number, { zip64, comment }: ZipOptions): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const at of [8, 10]) end.writeUInt16LE(zip64 ? 0xffff : entries, at);
  end.writeUInt32LE(zip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  if (!zip64) return Buffer.concat([end, comment]);
  const large = Buffer.alloc(56 + 20);
  large.writeUInt32LE(0x06064b50, 0);
  large.writeBigUInt64LE(44n, 4);
  large.writeUInt16LE(45, 12);
  large.writeUInt16LE(45, 14);
  for (const at of [24, 32]) large.writeBigUInt64LE(BigInt(entries), at);
  large.writeBigUInt64LE(BigInt(bytes), 40);
  large.writeBigUInt64LE(BigInt(offset), 48);
  large.writeUInt32LE(0x07064b50, 56);
  large.writeBigUInt64LE(BigInt(offset + bytes), 64);
  large.writeUInt32LE(1, 72);
  return Buffer.concat([large, end, comment]);
}

/** The rows as text, in one of the forms, with what the forms allow between rows. */
function textOf(rows: readonly string[], random: Dice): { readonly text: Buffer; readonly form: string } {
  const bom = random.chance(0.2) ? BOM : Buffer.alloc(0);
  const ending = random.chance(0.3) ? "\r\n" : "\n";
  const form = random.pick(["ndjson", "array", "pretty array"] as const);
  if (form === "ndjson") {
    const blanks = () => (random.chance(0.1) ? random.pick([ending, `  \t ${ending}`, `${ending}${ending}`]) : "");
    const lines = rows.map((row) => `${blanks()}${random.chance(0.05) ? " " : ""}${row}${ending}`).join("");
    return { text: Buffer.concat([bom, Buffer.from(random.chance(0.3) ? lines.trimEnd() : lines)]), form };
  }
  const list =
    form === "array"
      ? `[${rows.join(",")}]`
      : JSON.stringify(
          rows.map((row) => JSON.parse(row)),
          undefined,
          2,
        );
  return { text: Buffer.concat([bom, Buffer.from(list.replaceAll("\n", ending) + (random.chance(0.5) ? ending : ""))]), form };
}

function rowsOf(random: Dice): string[] {
  return Array.from({ length: random.below(12) }, (_, index) => {
    const row = validRow(random, index);
    return JSON.stringify(random.chance(0.1) ? { ...row, note: 'a line\u2028within a row, \u0085 and \\\\ " too' } : row);
  });
}

const ARCHIVES: readonly [
  (text: Buffer, random: Dice) => { readonly file: Buffer; readonly how: string; readonly sound: boolean },
  ...((text: Buffer, random: Dice) => { readonly file: Buffer; readonly how: string; readonly sound: boolean })[],
] = [
  (text) => ({ file: text, how: "plain", sound: text.length > 0 }),
  (text) => ({ file: zipOf(text, PLAIN), how: "zip", sound: true }),
  (text) => ({ file: zipOf(text, { ...PLAIN, stored: true }), how: "zip stored", sound: true }),
  (text) => ({ file: zipOf(text, { ...PLAIN, descriptor: true }), how: "zip with a descriptor", sound: true }),
  (text) => ({ file: zipOf(text, { ...PLAIN, zip64: true }), how: "zip64", sound: true }),
  (text, random) => {
    const more = [random.bytes(40), Buffer.from("{}")];
    const name = random.pick(["../../evil.json", "/etc/passwd", "ü.json", "a\\b", "", "x".repeat(300)]);
    return { file: zipOf(text, { ...PLAIN, more, name, comment: random.bytes(random.below(60)) }), how: "zip of several", sound: true };
  },
  (text, random) => ({ file: zipOf(text, { ...PLAIN, prefix: random.bytes(40) }), how: "zip behind something else", sound: false }),
  (text) => ({ file: zipOf(zipOf(text, PLAIN), { ...PLAIN, name: "inner.zip" }), how: "zip in a zip", sound: false }),
  (_text, random) => ({
    file: zipOf(Buffer.alloc(random.between(3, 6) * 2 ** 20, random.pick([0x20, 0x0a, 0x5b, 0x30, 0x22, 0x41])), PLAIN),
    how: "zip bomb",
    sound: false,
  }),
  (text, random) => {
    const lies = random.pick<ZipOptions["lies"]>([
      { size: text.length + random.between(1, 1000) },
      { size: random.below(text.length + 1) },
      { size: 0xffffffff },
      { packed: 0xfffffff0 },
      { packed: 3 },
      { crc: 7 },
      { offset: 0xfffffff0 },
      { offset: 11 },
    ]);
    const options = { ...PLAIN, zip64: random.chance(0.3), stored: random.chance(0.3), lies };
    return { file: zipOf(text, options), how: "zip that lies", sound: false };
  },
  (text, random) => ({
    file: zipOf(text, { ...PLAIN, method: random.pick([1, 9, 12, 93, 99]) }),
    how: "zip of another method",
    sound: false,
  }),
  (text) => ({ file: zipOf(text, { ...PLAIN, flags: 1 }), how: "zip with a password", sound: false }),
  (text) => ({ file: endOf(0, 0, 0, { ...PLAIN, comment: text.subarray(0, 60_000) }), how: "zip of nothing", sound: false }),
];

/** Mutant of an export's file: half of them are what they were made as. */
export function archiveMutant(random: Dice): ArchiveMutant {
  const rows = rowsOf(random);
  if (random.chance(0.1))
    rows.push(
      mutantRow(random, rows.length)
        .toString("latin1")
        .replaceAll(/[\r\n]/g, " "),
    );
  const valid = rows.every((row) => isJson(row));
  const { text, form } = valid ? textOf(rows, random) : { text: Buffer.from(rows.join("\n")), form: "odd ndjson" };
  const { file, how, sound } = random.pick(ARCHIVES)(text, random);
  const made = `${form}, ${how}`;
  if (random.chance(0.5)) return { file, rows: sound && valid ? rows : undefined, made };
  let mutated = file;
  for (let times = random.between(1, 3); times > 0; times--) mutated = mutateBytes(mutated, random);
  return { file: mutated, rows: undefined, made: `${made}, ${MUTATED}` };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
