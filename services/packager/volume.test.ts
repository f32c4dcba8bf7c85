import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ConfigError } from "../runtime/config.js";
import { createLogger } from "../runtime/log.js";
import { openVolume, packagerIdOn } from "./volume.js";

const log = createLogger("silent");
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-volume-"));
});
after(() => rm(folder, { recursive: true, force: true }));

test("the ledger id is minted once per volume", async () => {
  const first = await openVolume(join(folder, "a"), log);
  const again = await openVolume(join(folder, "a"), log);
  const other = await openVolume(join(folder, "b"), log);
  assert.match(first.ledgerId, /^[0-9A-Z]{26}$/);
  assert.equal(again.ledgerId, first.ledgerId);
  assert.notEqual(other.ledgerId, first.ledgerId);
});

test("a ledger id that can not be read is no new volume", async () => {
  const root = join(folder, "unreadable");
  await mkdir(root);
  await symlink("ledger-id", join(root, "ledger-id"));
  await assert.rejects(openVolume(root, log), { code: "ELOOP" });
});

test("a volume keeps its packager's id when the host is called otherwise", async () => {
  const data = join(folder, "named-by-host");
  assert.equal(await packagerIdOn(data, "", "host-1"), "host-1");
  assert.equal(await packagerIdOn(data, "", "host-2"), "host-1");
  assert.equal(await packagerIdOn(data, "host-1", "host-3"), "host-1");
  assert.deepEqual(await readdir(join(data, "packager")), ["packager-id"]);
});

test("a configured id is kept too, and who renames a packager is told what to do", async () => {
  const data = join(folder, "named-by-operator");
  assert.equal(await packagerIdOn(data, "p-0", "host-1"), "p-0");
  assert.equal(await packagerIdOn(data, "", "host-1"), "p-0");
  const renamed = packagerIdOn(data, "p-1", "host-1");
  await assert.rejects(
    renamed,
    (error) => error instanceof ConfigError && /PACKAGER_ID is "p-1", but .* "p-0".*delete .*packager-id/.test(error.message),
  );
  assert.equal(await readFile(join(data, "packager", "packager-id"), "utf8"), "p-0\n");
});

test("of every run only the newest epoch is kept, numbers compared as numbers", async () => {
  const root = join(folder, "c");
  const volume = await openVolume(root, log);
  const foreign = ["not a run", "not a run.1", `${"x".repeat(65)}.1`];
  for (const name of ["A.9", "A.10", "A.2", "B.1", ...foreign]) await mkdir(join(root, "runs", name));
  assert.deepEqual(await volume.list(), [
    { run: "A", epoch: 10 },
    { run: "B", epoch: 1 },
  ]);
  await volume.close();
  assert.deepEqual((await readdir(join(root, "runs"))).sort(), ["A.10", "B.1", ...foreign]);
});

test("a discarded run is out of the way at once, and what a killed process left is deleted at the next start", async () => {
  const root = join(folder, "d");
  const volume = await openVolume(root, log);
  const run = volume.folderOf("A", 1);
  await volume.create(run);
  await writeFile(join(run, "outcomes.log"), "x");
  await volume.discard(run);
  await volume.create(run);
  assert.deepEqual(await readdir(run), []);
  await volume.discard(join(root, "runs", "missing"));
  await volume.close();
  await mkdir(join(root, "trash", "7"));
  await openVolume(root, log);
  assert.deepEqual(await readdir(join(root, "trash")), []);
});
