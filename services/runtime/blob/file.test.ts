/** Beside the conformance suite: what is on the disk, and what its failures mean. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Fatal, Retry } from "../errors.js";
import { createFileBlobs, fileBlobError } from "./file.js";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-file-blobs-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("only the owner can read: folders 0700, files 0600, nothing half written left", () =>
  withFolder(async (parent) => {
    const folder = join(parent, "data", "blobs");
    const blobs = await createFileBlobs(folder);
    await blobs.put("run/1.0/5/p0", Buffer.from("x"));
    assert.equal(await mode(folder), "700");
    assert.equal(await mode(join(folder, "run")), "700");
    assert.deepEqual(await readdir(join(folder, "run")), ["1.0~5~p0"]);
    assert.equal(await mode(join(folder, "run", "1.0~5~p0")), "600");
    assert.deepEqual(await readdir(join(folder, "~tmp")), []);
  }));

test("at start, what a killed process left is removed: old files, deleted runs; what may be another process's work stays", () =>
  withFolder(async (folder) => {
    const temporary = join(folder, "~tmp");
    await mkdir(join(temporary, "deleted-1"), { recursive: true });
    await writeFile(join(temporary, "deleted-1", "1.0~5"), "x");
    await writeFile(join(temporary, "old"), "x");
    await writeFile(join(temporary, "young"), "x");
    const yesterday = new Date(Date.now() - 86_400_000);
    await utimes(join(temporary, "old"), yesterday, yesterday);
    await createFileBlobs(folder);
    assert.deepEqual(await readdir(temporary), ["young"]);
  }));

test("what is not a run is not listed", () =>
  withFolder(async (folder) => {
    const blobs = await createFileBlobs(folder);
    await mkdir(join(folder, "lost+found"));
    await writeFile(join(folder, "a-file"), "x");
    await blobs.put("run/1", Buffer.from("x"));
    assert.deepEqual(
      (await blobs.listRuns()).map(({ run }) => run),
      ["run"],
    );
  }));

test("a run's time is that of its youngest blob, also when it was replaced", () =>
  withFolder(async (folder) => {
    const blobs = await createFileBlobs(folder);
    await blobs.put("run/1", Buffer.from("x"));
    const yesterday = new Date(Date.now() - 86_400_000);
    await utimes(join(folder, "run"), yesterday, yesterday);
    assert.ok(((await blobs.listRuns())[0]?.youngestMs ?? 0) < Date.now() - 80_000_000);
    await blobs.put("run/1", Buffer.from("y"));
    assert.ok(((await blobs.listRuns())[0]?.youngestMs ?? 0) > Date.now() - 60_000);
  }));

test("a folder that can not be one is refused for good, at start and later", () =>
  withFolder(async (parent) => {
    await writeFile(join(parent, "file"), "x");
    await assert.rejects(createFileBlobs(join(parent, "file")), Fatal);
    await assert.rejects(createFileBlobs(join(parent, "file", "blobs")), Fatal);
    const blobs = await createFileBlobs(join(parent, "blobs"));
    await writeFile(join(parent, "blobs", "run"), "x");
    await assert.rejects(blobs.put("run/1", Buffer.from("x")), Fatal);
    assert.deepEqual(await readdir(join(parent, "blobs", "~tmp")), []);
  }));

const isRoot = process.getuid?.() === 0;

test("a folder without the right to write is refused for good", { skip: isRoot ? "root may write everywhere" : false }, () =>
  withFolder(async (folder) => {
    const blobs = await createFileBlobs(folder);
    await chmod(join(folder, "~tmp"), 0o500);
    await assert.rejects(blobs.put("run/1", Buffer.from("x")), Fatal);
    await chmod(join(folder, "~tmp"), 0o700);
  }),
);

test("what a failure means: rights and mounts are refused for good, a full disk and the rest may pass", () => {
  const failed = (code: string) => fileBlobError("/data/blobs", Object.assign(new Error(code), { code }));
  for (const code of ["EACCES", "EPERM", "EROFS", "ENOTDIR"]) assert.ok(failed(code) instanceof Fatal, code);
  for (const code of ["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ESTALE", "ENOENT"]) assert.ok(failed(code) instanceof Retry, code);
  assert.match(failed("ENOSPC").message, /\/data\/blobs.*full/);
  assert.ok(failed("EIO").cause instanceof Error);
});

test("a store whose folder is removed while it works makes it again", () =>
  withFolder(async (folder) => {
    const blobs = await createFileBlobs(folder);
    await rm(folder, { recursive: true });
    assert.equal(await blobs.get("run/1"), undefined);
    await blobs.put("run/1", Buffer.from("x"));
    assert.deepEqual(await blobs.get("run/1"), Buffer.from("x"));
  }));
