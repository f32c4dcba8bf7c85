import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type FileHandle, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { ZipArchive } from "archiver";
import fc from "fast-check";
import { deleteExport, downloadFile, type ExportLimits, freezeExport } from "./export-store.js";
import { HubFailure } from "./hub.js";

const LIMITS: ExportLimits = { maxEntryBytes: 1e9, maxRatio: 200, maxLineBytes: 1e8 };
const ROWS = '{"asset":"a"}\n{"asset":"b"}\n';

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-export-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function freeze(content: Buffer | string, limits: Partial<ExportLimits> = {}, signal = new AbortController().signal) {
  const downloaded = join(folder, "download");
  const target = join(folder, "rows");
  await deleteExport(target);
  await writeFile(downloaded, content);
  const { rows, bytes } = await freezeExport(downloaded, target, { ...LIMITS, ...limits }, signal);
  const text = await readFile(target, "utf8");
  assert.equal(Buffer.byteLength(text), bytes);
  assert.equal(text.split("\n").length - 1, rows);
  return text;
}

/** Rejects with a HubFailure whose text fits, and leaves nothing behind. */
async function refuses(content: Buffer | string, message: RegExp, limits: Partial<ExportLimits> = {}) {
  await assert.rejects(
    freeze(content, limits),
    (error) => error instanceof HubFailure && message.test(error.message) && !error.message.includes(folder),
  );
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name !== "download"),
    [],
  );
}

interface ZipForm {
  readonly stored?: boolean;
  readonly descriptor?: boolean;
  readonly zip64?: boolean;
  readonly crc?: number;
  readonly bytes?: number;
  readonly flags?: number;
  readonly method?: number;
}

function le(...fields: readonly (readonly [value: number, bytes: 2 | 4 | 8])[]): Buffer {
  return Buffer.concat(
    fields.map(([value, bytes]) => {
      const field = Buffer.alloc(8);
      field.writeBigUInt64LE(BigInt(value));
      return field.subarray(0, bytes);
    }),
  );
}

/** A zip archive by hand (APPNOTE.TXT 4.3): each entry as [name, text]. */
function zip(entries: readonly (readonly [name: string, text: Buffer | string])[], form: ZipForm = {}): Buffer {
  const flags = (form.flags ?? 0) | (form.descriptor ? 8 : 0);
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of entries) {
    const bytes = form.bytes ?? Buffer.byteLength(text);
    const data = form.stored ? Buffer.from(text) : deflateRawSync(text);
    const method = form.method ?? (form.stored ? 0 : 8);
    const crc = form.crc ?? crc32(text);
    const sizes = form.zip64 ? le([0xffff_ffff, 4], [0xffff_ffff, 4]) : le([data.length, 4], [bytes, 4]);
    const localSizes = form.descriptor ? le([0, 4], [0, 4], [0, 4]) : Buffer.concat([le([crc, 4]), sizes]);
    const localExtra = form.zip64 ? le([1, 2], [16, 2], [bytes, 8], [data.length, 8]) : Buffer.alloc(0);
    const centralExtra = form.zip64 ? le([1, 2], [24, 2], [bytes, 8], [data.length, 8], [offset, 8]) : Buffer.alloc(0);
    const common = le([20, 2], [flags, 2], [method, 2], [0, 2], [0x21, 2]);
    const local = Buffer.concat([
      le([0x04034b50, 4]),
      common,
      localSizes,
      le([name.length, 2], [localExtra.length, 2]),
      Buffer.from(name),
      localExtra,
      data,
      form.descriptor ? le([0x08074b50, 4], [crc, 4], [data.length, 4], [bytes, 4]) : Buffer.alloc(0),
    ]);
    locals.push(local);
    const place = form.zip64 ? 0xffff_ffff : offset;
    const tail = le([name.length, 2], [centralExtra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [place, 4]);
    centrals.push(Buffer.concat([le([0x02014b50, 4], [20, 2]), common, le([crc, 4]), sizes, tail, Buffer.from(name), centralExtra]));
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const count = entries.length;
  const end64 = le([0x06064b50, 4], [44, 8], [45, 2], [45, 2], [0, 4], [0, 4], [count, 8], [count, 8], [directory.length, 8], [offset, 8]);
  const locator = le([0x07064b50, 4], [0, 4], [offset + directory.length, 8], [1, 4]);
  const size = form.zip64 ? 0xffff_ffff : directory.length;
  const start = form.zip64 ? 0xffff_ffff : offset;
  const end = le([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [start, 4], [0, 2]);
  return Buffer.concat([...locals, directory, ...(form.zip64 ? [end64, locator] : []), end]);
}

async function archiverZip(text: string): Promise<Buffer> {
  const archive = new ZipArchive({ forceZip64: true });
  archive.append(text, { name: "çok/uzun.ndjson" });
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  await archive.finalize();
  await collected;
  return Buffer.concat(chunks);
}

for (const [name, form] of [
  ["deflated", {}],
  ["stored", { stored: true }],
  ["deflated with a data descriptor", { descriptor: true }],
  ["stored with a data descriptor", { stored: true, descriptor: true }],
  ["zip64", { zip64: true }],
  ["zip64, stored", { zip64: true, stored: true }],
] as const) {
  test(`a zip archive is frozen: ${name}`, async () => {
    assert.equal(await freeze(zip([["export.ndjson", ROWS]], form)), ROWS);
  });
}

test("an archive of archiver's is frozen", async () => {
  assert.equal(await freeze(await archiverZip(ROWS)), ROWS);
});

test("only the first entry counts, and its name is never looked at", async () => {
  for (const name of ["../../../etc/passwd", "/abs", "a\\b", "", "\u0000"]) {
    assert.equal(
      await freeze(
        zip([
          [name, ROWS],
          ["second.ndjson", '{"not":"this"}'],
        ]),
      ),
      ROWS,
      JSON.stringify(name),
    );
  }
});

test("plain text is frozen as it is, and as an array", async () => {
  assert.equal(await freeze(ROWS), ROWS);
  assert.equal(await freeze('\ufeff[\n  {"asset":"a"},\r\n  {"asset":"b"}\n]'), ROWS);
  assert.equal(await freeze(zip([["export.json", '[{"asset":"a"},{"asset":"b"}]']])), ROWS);
});

test("an export without assets has no rows", async () => {
  for (const text of ["\n", "[]", "[\n]\n"]) {
    assert.equal(await freeze(text), "");
    assert.equal(await freeze(zip([["x", text]])), "");
  }
  assert.equal(await freeze(zip([["x", ""]])), "");
  assert.equal(await freeze(zip([["x", ""]], { stored: true })), "");
});

test("malformed rows are kept", async () => {
  assert.equal(await freeze('{"asset":\n\xff\n'), '{"asset":\n\xff\n');
  assert.equal(await freeze(zip([["x", "oops\n{}\n"]])), "oops\n{}\n");
});

test("nothing remains beside the frozen file but its offsets", async () => {
  await freeze(ROWS);
  assert.deepEqual((await readdir(folder)).sort(), ["download", "rows", "rows.offsets"]);
  await deleteExport(join(folder, "rows"));
  assert.deepEqual(await readdir(folder), ["download"]);
});

test("what a killed process left of an export is deleted with it", async () => {
  const target = join(folder, "killed");
  for (const file of [downloadFile(target), `${target}.partial`]) await writeFile(file, "half of");
  await deleteExport(target);
  assert.deepEqual(
    (await readdir(folder)).filter((file) => file.startsWith("killed")),
    [],
  );
});

const archive = zip([["export.ndjson", ROWS.repeat(1000)]]);
for (const [name, content, message] of [
  ["0 bytes", "", /^The export is empty/],
  ["an archive of nothing", zip([]), /empty archive/],
  ["an archive that was cut short", archive.subarray(0, archive.length - 40), /damaged or incomplete/],
  ["an archive that lost its middle", Buffer.concat([archive.subarray(0, 60), archive.subarray(90)]), /damaged or incomplete/],
  ["an archive with a wrong CRC", zip([["x", ROWS]], { crc: 1 }), /damaged or incomplete \(its checksum does not match\)/],
  ["a stored archive with a wrong CRC", zip([["x", ROWS]], { crc: 1, stored: true }), /checksum/],
  ["an archive with a wrong size", zip([["x", ROWS]], { bytes: 5 }), /its text has 28 bytes, and should have 5/],
  ["an encrypted archive", zip([["x", ROWS]], { flags: 1 }), /archive is encrypted; allowed: deflated or stored/],
  ["an archive of another method", zip([["x", ROWS]], { method: 12 }), /compressed with method 12/],
  ["a web page", "\ufeff\n<!DOCTYPE html><title>502</title>", /a web page that is neither a zip archive nor JSON/],
  ["another binary file", Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]), /something that is neither/],
  ["UTF-16", Buffer.from('\ufeff{"a":1}', "utf16le"), /something that is neither/],
  ["an archive within an archive", zip([["inner.zip", zip([["x", ROWS]])]]), /what its archive holds is not JSON text in UTF-8/],
  ["an archive of UTF-16", zip([["x", Buffer.from(ROWS, "utf16le")]]), /what its archive holds is not JSON text in UTF-8/],
  ["an array that is cut short", '[{"asset":"a"},{"ass', /incomplete/],
] as const) {
  test(`refused in a user's words: ${name}`, () => refuses(content, message));
}

test("a changed byte in the data of a stored entry is detected", async () => {
  const bytes = zip([["x", ROWS]], { stored: true });
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await refuses(bytes, /checksum/);
});

test("offsets that point outside of the archive are refused and crash nothing", async () => {
  const good = zip([["x", ROWS]], { zip64: true });
  const locator = good.length - 22 - 20;
  const end64 = locator - 56;
  for (const place of [locator + 8, end64 + 48]) {
    for (const value of [0xffff_ffff_ffff_ffffn, 1n << 53n, BigInt(good.length)]) {
      const bytes = Buffer.from(good);
      bytes.writeBigUInt64LE(value, place);
      await refuses(bytes, /damaged or incomplete/);
    }
  }
});

test("random damage to an archive is found, or does no harm to the text", async () => {
  const good = zip([["export.ndjson", ROWS]], { zip64: true });
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (place, change) => {
      const bytes = Buffer.from(good);
      bytes[place] = (bytes[place] ?? 0) ^ change;
      // A first byte that is not "PK" makes it a file of another kind, refused for its control characters.
      const result = await freeze(bytes).catch((error: unknown) => error);
      assert.ok(result === ROWS || result instanceof HubFailure, String(result));
    }),
    { numRuns: 300 },
  );
});

test("more text than allowed is refused, whether or not the archive admits it", async () => {
  const limits = { maxEntryBytes: 1000 };
  await refuses(zip([["x", ROWS.repeat(100)]]), /too large: 2\.7 KiB of text or more, and this installation allows 1000 bytes/, limits);
  await refuses(zip([["x", ROWS.repeat(100)]], { bytes: 900 }), /too large/, limits);
  await refuses(ROWS.repeat(100), /too large/, limits);
  assert.equal(await freeze(zip([["x", ROWS]]), limits), ROWS);
});

test("an archive that grows without measure is refused, whether or not it admits it", async () => {
  const bomb = Buffer.alloc(3 * 1024 * 1024, " ");
  await refuses(zip([["x", bomb]]), /compressed more than 200 times/);
  await refuses(zip([["x", bomb]], { bytes: 100_000 }), /compressed more than 200 times/);
  assert.equal(await freeze(zip([["x", bomb]]), { maxRatio: 2000 }), "");
  assert.equal(await freeze(zip([["x", bomb.subarray(0, 1024 * 1024)]])), "", "a small text does no harm");
});

test("a row that is too long does not fail the export", async () => {
  const long = `{"asset":"${"x".repeat(3_000_000)}"}`;
  const frozen = await freeze(zip([["x", `${ROWS}${long}\n${ROWS}`]]), { maxLineBytes: 2_000_000, maxRatio: 1e6 });
  assert.equal(frozen, `${ROWS}!maskline:row-too-long:${long.length}:2000000\n${ROWS}`);
});

test("an aborted freeze rejects with the signal's reason and leaves nothing behind", async () => {
  const reason = new Error("the process stops");
  await assert.rejects(freeze(ROWS, {}, AbortSignal.abort(reason)), (error) => error === reason);
  assert.deepEqual(await readdir(folder), ["download"]);
});

test("a missing download is a system error, no matter of the user", async () => {
  await assert.rejects(
    freezeExport(join(folder, "none"), join(folder, "rows"), LIMITS, new AbortController().signal),
    (error) => error instanceof Error && !(error instanceof HubFailure) && "code" in error && error.code === "ENOENT",
  );
});

test("an export is synced before it gets its name, and its folder after", async (t) => {
  const target = join(folder, "rows");
  const probe = await open(folder, "r");
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const syncs: string[] = [];
  t.mock.method(handles, "sync", async function sync(this: FileHandle) {
    const status = await this.stat();
    const what = status.isDirectory() ? "folder" : status.size === Buffer.byteLength(ROWS) ? "rows" : "offsets";
    syncs.push(`${what}, ${existsSync(target) ? "named" : "not yet named"}`);
  });
  await freeze(ROWS);
  assert.deepEqual(syncs, ["rows, not yet named", "offsets, not yet named", "folder, named"]);
});
