import assert from "node:assert/strict";
import { type FileHandle, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Fatal } from "../runtime/errors.js";
import { DiskFull } from "./disk-full.js";
import type { Location } from "./ledger.js";
import { RECORD_MAGIC } from "./record-format.js";
import { appendTo, DamagedRecord, openRunLog, readRecord } from "./run-log.js";

let folder = "";
let files = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-log-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const freshPath = () => join(folder, `${files++}.log`);

async function write(path: string, payloads: readonly (string | Buffer)[]): Promise<Location[]> {
  const { log } = await openRunLog(path, () => undefined);
  const locations = payloads.map((payload) => log.append(Buffer.from(payload)));
  await log.commit();
  await log.close();
  return locations;
}

async function recover(path: string) {
  const found: string[] = [];
  const { log, cut, damaged } = await openRunLog(path, (payload) => found.push(payload.toString()));
  const bytes = log.bytes;
  await log.close();
  return { found, cut, damaged, bytes };
}

async function corrupt(path: string, position: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[position] = (bytes[position] ?? 0) ^ 0xff;
  await writeFile(path, bytes);
}

test("what was committed is found again, in order, over several openings", async () => {
  const path = freshPath();
  await write(path, ["one", "two"]);
  await write(path, ["three", ""]);
  assert.deepEqual(await recover(path), { found: ["one", "two", "three", ""], cut: 0, damaged: 0, bytes: 4 * 13 + 11 });
});

test("a commit is on the disk when it resolves: all of it is written, then synced, once", async () => {
  const file = await open(freshPath(), "w+");
  const calls: string[] = [];
  const watched = {
    write: async (bytes: Buffer, from: number, length: number, position: number) => {
      calls.push("write");
      return file.write(bytes, from, length, position);
    },
    datasync: async () => {
      await file.datasync();
      calls.push(`sync of ${(await file.stat()).size} bytes`);
    },
  } as FileHandle;
  const log = appendTo(watched, 0);
  for (const payload of ["one", "two"]) log.append(Buffer.from(payload));
  await log.commit();
  assert.deepEqual(calls, ["write", `sync of ${log.bytes} bytes`]);
  assert.equal(log.bytes, 2 * 13 + 6);
  await file.close();
});

test("a torn tail is cut, and appending goes on behind the last good record", async () => {
  for (const lost of [1, 8, 14, 17]) {
    const path = freshPath();
    await write(path, ["one", "two", "three"]);
    await truncate(path, 4 * 13 - 13 + 11 - lost);
    const { found, cut } = await recover(path);
    assert.deepEqual(found, ["one", "two"]);
    assert.equal(cut, 13 + 5 - lost);
    assert.equal((await stat(path)).size, 2 * 13 + 6, "the tail is still there");
    await write(path, ["again"]);
    assert.deepEqual((await recover(path)).found, ["one", "two", "again"]);
  }
});

test("a damaged record in the middle is skipped, wherever the damage is, and the others stay", async () => {
  const clean = freshPath();
  const [, second] = await write(clean, ["one", "two", "three"]);
  assert.ok(second);
  const bytes = await readFile(clean);
  for (let position = second.offset; position < second.offset + second.length; position++) {
    const path = freshPath();
    await writeFile(path, bytes);
    await corrupt(path, position);
    const { found, cut, damaged } = await recover(path);
    assert.deepEqual(found, ["one", "three"], `byte ${position}`);
    assert.deepEqual({ cut, damaged }, { cut: 0, damaged: 1 });
  }
});

test("a payload that contains the magic, or a length that claims gigabytes, misleads nobody", async () => {
  const path = freshPath();
  const tricky = Buffer.concat([RECORD_MAGIC, Buffer.alloc(20, 0xff), RECORD_MAGIC]);
  await write(path, ["one", tricky, "three"]);
  assert.equal((await recover(path)).found.length, 3);
  await corrupt(path, 16 + 7);
  assert.deepEqual((await recover(path)).found, ["one", "three"]);
});

test("records larger than the reading window are found, and skipped when damaged", async () => {
  const path = freshPath();
  const large = Buffer.alloc(3 * 2 ** 20, "x");
  await write(path, ["one", large, "three"]);
  assert.deepEqual(
    (await recover(path)).found.map((text) => text.length),
    [3, large.length, 5],
  );
  await corrupt(path, 2 ** 21);
  assert.deepEqual((await recover(path)).found, ["one", "three"]);
});

test("a file that holds nothing but rubbish is an empty log", async () => {
  const path = freshPath();
  await writeFile(path, Buffer.alloc(3 * 2 ** 20, 7));
  assert.deepEqual(await recover(path), { found: [], cut: 3 * 2 ** 20, damaged: 0, bytes: 0 });
});

test("one record is read by its location, and one that rotted is told from a good one", async () => {
  const path = freshPath();
  const [first, second] = await write(path, ["one", "two"]);
  assert.ok(first && second);
  await corrupt(path, second.offset + 14);
  const file = await open(path, "r");
  assert.equal((await readRecord(file, first)).toString(), "one");
  await assert.rejects(readRecord(file, second), DamagedRecord);
  await assert.rejects(readRecord(file, { offset: 10_000, length: 20 }), DamagedRecord);
  await file.close();
});

/** A file of which one operation is another one. */
function replacing(file: FileHandle, operation: "write" | "datasync", other: (...given: never[]) => Promise<unknown>): FileHandle {
  return new Proxy(file, {
    get(target, name) {
      if (name === operation) return other;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A disk of which one operation fails. */
function failing(file: FileHandle, operation: "write" | "datasync", code: string): FileHandle {
  return replacing(file, operation, () => Promise.reject(Object.assign(new Error(code), { code })));
}

test("a full disk is told apart from a failing one, and leaves what was committed before", async () => {
  const path = freshPath();
  await write(path, ["one"]);
  const file = await open(path, "r+");
  for (const operation of ["write", "datasync"] as const) {
    const full = appendTo(failing(file, operation, "ENOSPC"), 16);
    full.append(Buffer.from("two"));
    await assert.rejects(full.commit(), DiskFull);
    assert.equal(full.bytes, 16);
    const broken = appendTo(failing(file, operation, "EIO"), 16);
    broken.append(Buffer.from("two"));
    await assert.rejects(broken.commit(), Fatal);
    await file.truncate(16);
  }
  await file.close();
  assert.deepEqual((await recover(path)).found, ["one"]);
});

test("what a full disk took of a batch is cut off at once", async () => {
  const path = freshPath();
  await write(path, ["one"]);
  const file = await open(path, "r+");
  let room = 20;
  const filling = replacing(file, "write", async (bytes: Buffer, offset: number, length: number, position: number) => {
    if (room === 0) throw Object.assign(new Error("full"), { code: "ENOSPC" });
    const taken = Math.min(room, length);
    room -= taken;
    return file.write(bytes, offset, taken, position);
  });
  const log = appendTo(filling, 16);
  log.append(Buffer.from("longer than twenty bytes with its header"));
  await assert.rejects(log.commit(), DiskFull);
  assert.equal(room, 0);
  assert.equal((await stat(path)).size, 16);
  room = 1_000;
  log.append(Buffer.from("two"));
  await log.commit();
  await log.close();
  assert.deepEqual(await recover(path), { found: ["one", "two"], cut: 0, damaged: 0, bytes: 32 });
});

test("a log that can not be opened leaves no file open, whatever it failed at", async (t) => {
  const path = freshPath();
  await write(path, ["one"]);
  await truncate(path, 12);
  const probe = await open(path, "r");
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  // The second sync is the folder's.
  const failures = [
    ["stat", 1],
    ["truncate", 1],
    ["sync", 1],
    ["sync", 2],
  ] as const;
  for (const [operation, failingCall] of failures) {
    const used: FileHandle[] = [];
    const failure = t.mock.method(handles, operation, async function failAt(this: FileHandle) {
      used.push(this);
      if (used.length === failingCall) throw Object.assign(new Error("EIO"), { code: "EIO" });
    });
    await assert.rejects(
      openRunLog(path, () => undefined),
      Fatal,
    );
    failure.mock.restore();
    assert.equal(used.length, failingCall);
    for (const { fd } of used) assert.equal(fd, -1, `${operation} ${failingCall}: still open`);
  }
});

test("a disk that takes a few bytes at a time still gets whole records", async () => {
  const path = freshPath();
  const file = await open(path, "w+");
  const slow = replacing(file, "write", (bytes: Buffer, offset: number, length: number, position: number) =>
    file.write(bytes, offset, Math.min(7, length), position),
  );
  const log = appendTo(slow, 0);
  log.append(Buffer.from("a longer payload than seven bytes"));
  await log.commit();
  await file.close();
  assert.deepEqual((await recover(path)).found, ["a longer payload than seven bytes"]);
});
