import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { createArchive } from "./archive.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-archive-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Checks a zip with tools that are not ours, those that are there. */
function checkElsewhere(t: TestContext, file: string, entries: number): void {
  const unzip = spawnSync("unzip", ["-tqq", file], { timeout: 60_000 });
  if (unzip.error) t.diagnostic("unzip is not installed: its check was skipped");
  else assert.equal(unzip.status, 0);
  const script = "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(len(z.namelist()))";
  const python = spawnSync("python3", ["-c", script, file], { encoding: "utf8", timeout: 60_000 });
  if (python.error) t.diagnostic("python3 is not installed: its check was skipped");
  else assert.equal(python.stdout.trim(), String(entries));
}

async function writeMasks(file: string, entries: number): Promise<void> {
  const archive = await createArchive(file);
  for (let index = 0; index < entries; index++) await archive.append(`${index}.png`, Buffer.from(`mask ${index}`));
  await archive.finish();
}

test("more entries than fit the old zip format open elsewhere", async (t) => {
  const file = join(folder, "many.zip");
  await writeMasks(file, 66_000);
  checkElsewhere(t, file, 66_000);
});

test("the same entries give the same bytes, at any time", async () => {
  await writeMasks(join(folder, "first.zip"), 500);
  await writeMasks(join(folder, "second.zip"), 500);
  assert.ok((await readFile(join(folder, "first.zip"))).equals(await readFile(join(folder, "second.zip"))));
});

test("files of any size are added, in memory or as a stream", async (t) => {
  const file = join(folder, "files.zip");
  const archive = await createArchive(file);
  for (const [name, bytes] of [
    ["none", 0],
    ["small", 10],
    ["large", 40 * 2 ** 20],
  ] as const) {
    await writeFile(join(folder, name), Buffer.alloc(bytes, "m"));
    await archive.append(`before-${name}`, Buffer.alloc(5 * 2 ** 20, "b"));
    await archive.appendFile(name, join(folder, name));
  }
  await archive.append("last", Buffer.from("last"));
  await archive.finish();
  checkElsewhere(t, file, 7);
});

test("a file that can not be read fails the archive", async () => {
  const archive = await createArchive(join(folder, "failed.zip"));
  await assert.rejects(archive.appendFile("missing", join(folder, "missing")), { code: "ENOENT" });
  await archive.abort();
});

test("an archive that is given up takes nothing more", async () => {
  const archive = await createArchive(join(folder, "aborted.zip"));
  await archive.append("a", Buffer.alloc(1000));
  await archive.abort();
  await assert.rejects(archive.append("b", Buffer.alloc(10)), /given up/);
});
