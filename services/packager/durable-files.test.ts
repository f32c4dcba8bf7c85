import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type FileHandle, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { publishFile } from "./durable-files.js";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-durable-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("a file is synced before it gets its name, and its folder after", async (t) => {
  const file = join(folder, "file");
  const partial = `${file}.partial`;
  await writeFile(partial, "content");
  const probe = await open(partial, "r");
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const syncs: string[] = [];
  t.mock.method(handles, "sync", async function sync(this: FileHandle) {
    const what = (await this.stat()).isDirectory() ? "folder" : "file";
    syncs.push(`${what}, ${existsSync(file) ? "named" : "not yet named"}`);
  });
  await publishFile(partial, file);
  assert.deepEqual(syncs, ["file, not yet named", "folder, named"]);
  assert.equal(await readFile(file, "utf8"), "content");
});
