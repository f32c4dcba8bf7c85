import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { CHECKPOINT_ROWS } from "./export-rows.js";
import { freezeExport } from "./export-store.js";
import { type RowSelection, readRows } from "./read-rows.js";
import { offsetsFile, readRowOffsets, writeRowOffsets } from "./row-offsets.js";

const never = new AbortController().signal;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-rows-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function frozen(name: string, rows: readonly string[]): Promise<string> {
  const downloaded = join(folder, "download");
  const target = join(folder, name);
  await writeFile(downloaded, `\n${rows.map((row) => `${row}\n`).join("")}`);
  await freezeExport(downloaded, target, { maxEntryBytes: 1e9, maxRatio: 1e6, maxLineBytes: 1e8 }, never);
  return target;
}

async function read(file: string, selection: RowSelection, readBytes?: number): Promise<[number, string][]> {
  const rows: [number, string][] = [];
  for await (const batch of readRows(file, selection, never, readBytes)) {
    assert.ok(batch.length > 0);
    rows.push(...batch.map(({ index, row }): [number, string] => [index, row.toString()]));
  }
  return rows;
}

const many = Array.from({ length: 3 * CHECKPOINT_ROWS + 7 }, (_, k) => `{"n":${k},"x":"${"é".repeat(k % 50)}"}`);
const numbered = many.map((row, k): [number, string] => [k, row]);

test("all rows come back in order, whatever a read brings", async () => {
  const file = await frozen("all", many);
  for (const readBytes of [undefined, 1000, 101]) assert.deepEqual(await read(file, { fromRow: 0 }, readBytes), numbered);
  const few = await frozen("few", many.slice(0, 20));
  for (const readBytes of [17, 2, 1]) assert.deepEqual(await read(few, { fromRow: 0 }, readBytes), numbered.slice(0, 20));
});

test("reading begins at any row, with and without the file of offsets", async () => {
  const file = await frozen("from", many);
  for (const withOffsets of [true, false]) {
    if (!withOffsets) await rm(offsetsFile(file));
    for (const fromRow of [1, CHECKPOINT_ROWS - 1, CHECKPOINT_ROWS, CHECKPOINT_ROWS + 1, many.length - 1, many.length, many.length + 9]) {
      assert.deepEqual(await read(file, { fromRow }, 4096), numbered.slice(fromRow), `from row ${fromRow}`);
    }
  }
});

test("nothing before the checkpoint of the first row is read", async () => {
  const file = await frozen("checkpoint", many);
  const content = await readFile(file);
  await writeFile(file, content.fill("\n", 0, 1000));
  const last = many.length - 1;
  assert.deepEqual(await read(file, { fromRow: last }), [[last, many[last]]]);
  assert.deepEqual(await read(file, { fromRow: 0, wanted: [{ first: last, end: last + 1 }] }, 100), [[last, many[last]]]);
});

test("only the wanted rows come back, clipped to the first one asked for", async () => {
  const file = await frozen("wanted", many);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(many.length + 10), { maxLength: 40 }),
      fc.nat(many.length),
      fc.constantFrom(64, 1000, 50_000, undefined),
      async (marks, fromRow, readBytes) => {
        const ends = marks.sort((a, b) => a - b);
        const wanted = ends.flatMap((first, k) => (k % 2 === 0 ? [{ first, end: ends[k + 1] ?? first + 1 }] : []));
        const expected = numbered.filter(([index]) => index >= fromRow && wanted.some(({ first, end }) => first <= index && index < end));
        assert.deepEqual(await read(file, { fromRow, wanted }, readBytes), expected);
      },
    ),
    { numRuns: 60 },
  );
  assert.deepEqual(await read(file, { fromRow: 0, wanted: [] }), []);
});

test("a few rows of a chunk do not hold its memory", async () => {
  const file = await frozen("sparse", many);
  for await (const batch of readRows(file, { fromRow: 0, wanted: [{ first: 5, end: 6 }] }, never)) {
    assert.ok(batch.every(({ row }) => row.buffer.byteLength < 100_000));
  }
});

test("rows longer than a read come back whole", async () => {
  const rows = ["a".repeat(2_500_000), "b", "c".repeat(1_100_000)];
  const file = await frozen("long", rows);
  assert.deepEqual(
    await read(file, { fromRow: 0 }),
    rows.map((row, k) => [k, row]),
  );
});

test("a file without rows gives none", async () => {
  assert.deepEqual(await read(await frozen("none", []), { fromRow: 0 }), []);
});

test("a file that ends within a row is damaged", async () => {
  const file = join(folder, "torn");
  await writeFile(file, '{"a":1}\n{"b"');
  await assert.rejects(read(file, { fromRow: 0 }), /ends within a row/);
  assert.deepEqual(await read(file, { fromRow: 0, wanted: [{ first: 0, end: 1 }] }, 8), [[0, '{"a":1}']]);
});

test("an aborted read rejects with the signal's reason", async () => {
  const file = await frozen("abort", many);
  const controller = new AbortController();
  const reason = new Error("enough");
  const rows = readRows(file, { fromRow: 0 }, controller.signal, 1000);
  await rows.next();
  controller.abort(reason);
  await assert.rejects(rows.next(), (error) => error === reason);
});

test("offsets that are damaged or of another file are not used", async () => {
  const file = await frozen("offsets", many);
  const { length } = await readFile(file);
  assert.equal((await readRowOffsets(file, length)).length, 4);
  assert.deepEqual(await readRowOffsets(file, length + 1), [{ row: 0, offset: 0 }], "of another file");
  const content = await readFile(offsetsFile(file));
  content[3] = (content[3] ?? 0) ^ 1;
  await writeFile(offsetsFile(file), content);
  assert.deepEqual(await readRowOffsets(file, length), [{ row: 0, offset: 0 }], "a changed byte");
  for (const kept of [0, 3, 4, 11]) {
    await writeFile(offsetsFile(file), content.subarray(0, kept));
    assert.deepEqual(await readRowOffsets(file, length), [{ row: 0, offset: 0 }], `${kept} bytes`);
  }
  await writeRowOffsets(file, [], length);
  assert.deepEqual(await readRowOffsets(file, length), [{ row: 0, offset: 0 }]);
});
