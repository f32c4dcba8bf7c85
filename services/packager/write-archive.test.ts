import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { AssetOutcome, ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import { readArchiveBytes } from "../../test/support/archive.js";
import { Ledger } from "./ledger.js";
import { decodeHead } from "./outcome-head.js";
import { openRunLog } from "./run-log.js";
import { type ArchiveInput, type ArchiveVolume, type FinishedArchive, writeArchive } from "./write-archive.js";

const ASSETS = 40;
/** The first cell of every asset: a mask of some hundred bytes, but one of ten is left out and one of ten is large. */
const LIMIT = 4_000;
const LARGE = 6_000;

let root = "";
let folders = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "maskline-volumes-"));
});
after(() => rm(root, { recursive: true, force: true }));

function outcomeOf(index: number): Uint8Array {
  const envelope = { run: "R1", gateway: "g", packager: "p", epoch: 1, round: 0, index, part: 0, parts: index % 10 === 3 ? 0 : 1 };
  const asset = { taskId: `task${index}`, assetId: "", externalId: `${index}.jpg`, batches: [] };
  if (index % 10 === 3) return AssetOutcome.encode({ envelope, asset, outcome: { $case: "skipped", value: { rule: "batch" } } }).finish();
  const png = Buffer.alloc(index % 10 === 7 ? LARGE : 300 + index, `${index}`);
  const sha256 = createHash("sha256").update(png).digest();
  const value = { width: 1, height: 1, png, sha256, pixels: [], dropped: [] };
  return AssetOutcome.encode({ envelope, asset, outcome: { $case: "rendered", value } }).finish();
}

/** A complete run in a folder of its own, its outcomes logged in some order. */
async function completeRun(changed: Partial<ArchiveInput> = {}, order = (indexes: number[]) => indexes): Promise<ArchiveInput> {
  const folder = join(root, String(folders++));
  await mkdir(folder);
  const logFile = join(folder, "outcomes.log");
  const { log } = await openRunLog(logFile, () => undefined);
  const ledger = new Ledger();
  for (const index of order(Array.from({ length: ASSETS }, (_, position) => position))) {
    const payload = outcomeOf(index);
    const location = log.append(payload);
    const head = decodeHead(payload);
    assert.ok(head);
    ledger.accept(head.cell, location);
  }
  await log.commit();
  await log.close();
  const context = {
    ...{ run: "R1", session: "s", projectId: "p", archiveName: "masks-p-s.zip", settings: undefined },
    ...{ mode: ColourMode.GRAY, classes: [{ title: "Car", value: 1, schemaIds: [] }], stages: [] },
  };
  return { ledger, total: ASSETS, folder, logFile, context, maxBytes: LIMIT, signal: new AbortController().signal, ...changed };
}

/** What was uploaded, under the names that users see. */
interface Bucket {
  readonly volumes: Map<number, Buffer>;
  uploads: number;
}

const linkOf = (number: number) => `https://bucket.test/vol${number}?signature=s3cret`;

/** Writes the archive as the packer does, uploading volumes; stops, as a kill would, after so many steps. */
async function pack(input: ArchiveInput, bucket: Bucket, steps = Number.POSITIVE_INFINITY): Promise<FinishedArchive | undefined> {
  const writing = writeArchive(input);
  try {
    for (let link = "", step = 0; step < steps; step++) {
      const { value } = await writing.next(link);
      assert.ok(value);
      if (value.kind === "archive") return value;
      await upload(value, bucket);
      link = linkOf(value.number);
    }
    return undefined;
  } finally {
    await writing.return();
  }
}

async function upload({ number, file, bytes }: ArchiveVolume, bucket: Bucket): Promise<void> {
  const content = await readFile(file);
  assert.equal(content.length, bytes);
  const before = bucket.volumes.get(number);
  if (before) assert.ok(before.equals(content), `volume ${number} has other bytes than before`);
  bucket.volumes.set(number, content);
  bucket.uploads += 1;
}

const emptyBucket = (): Bucket => ({ volumes: new Map(), uploads: 0 });

const namesIn = async (zip: Buffer) => [...(await readArchiveBytes(zip)).keys()];

const expectedMasks = Array.from({ length: ASSETS }, (_, index) => index)
  .filter((index) => index % 10 !== 3)
  .map((index) => `task${index}.png`);
const INDEX_FILES = ["class_mapping.json", "class_mapping.txt", "manifest.ndjson", "manifest.csv"];

async function checkWhole(finished: FinishedArchive | undefined, bucket: Bucket): Promise<void> {
  assert.ok(finished);
  const numbers = [...bucket.volumes.keys()].sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, position) => position + 1),
  );
  assert.equal(finished.volumes, numbers.length);
  const masks: string[] = [];
  const volumeOf = new Map<string, number>();
  for (const number of numbers) {
    for (const name of await namesIn(bucket.volumes.get(number) ?? Buffer.alloc(0))) {
      masks.push(name);
      volumeOf.set(name, number);
    }
  }
  assert.deepEqual(masks, expectedMasks, "every mask is in one volume, in asset order");
  const archive = await readFile(finished.file);
  const index = await readArchiveBytes(archive);
  assert.deepEqual([...index.keys()], [...INDEX_FILES, "volumes.json"]);
  const lines = String(index.get("manifest.ndjson")).trim().split("\n");
  assert.equal(lines.length, ASSETS);
  for (const line of lines) {
    const { file, volume, outcome } = JSON.parse(line);
    assert.equal(volume, outcome === "mask" ? volumeOf.get(file) : undefined);
  }
  const { volumes } = JSON.parse(String(index.get("volumes.json")));
  assert.equal(volumes.length, numbers.length);
  for (const { volume, file, bytes, sha256, url } of volumes) {
    const content = bucket.volumes.get(volume) ?? Buffer.alloc(0);
    assert.deepEqual([file, bytes, url], [`masks-p-s-vol00${volume}.zip`, content.length, linkOf(volume)]);
    assert.equal(sha256, createHash("sha256").update(content).digest("hex"));
  }
  assert.equal(
    finished.totalBytes,
    [...bucket.volumes.values()].reduce((sum, { length }) => sum + length, archive.length),
  );
}

test("masks that pass the limit go into volumes within it, one at a time on the disk, and the archive says where each is", async () => {
  const input = await completeRun();
  const bucket = emptyBucket();
  await checkWhole(await pack(input, bucket), bucket);
  assert.ok(bucket.volumes.size > 4);
  for (const [number, content] of bucket.volumes) {
    const isLarge = (await namesIn(content)).length === 1;
    assert.ok(content.length <= (isLarge ? LARGE + 400 : LIMIT), `volume ${number} has ${content.length} bytes`);
  }
  assert.deepEqual((await readdir(input.folder)).sort(), ["archive.zip", "outcomes.log", "volumes.json"]);
  assert.equal((await stat(join(input.folder, "volumes.json"))).mode & 0o777, 0o600);
});

test("volumes open elsewhere", async (t: TestContext) => {
  const bucket = emptyBucket();
  await pack(await completeRun(), bucket);
  const file = join(root, "elsewhere.zip");
  await writeFile(file, bucket.volumes.get(1) ?? "");
  const unzip = spawnSync("unzip", ["-tqq", file], { timeout: 60_000 });
  if (unzip.error) t.diagnostic("unzip is not installed: its check was skipped");
  else assert.equal(unzip.status, 0);
  const python = spawnSync("python3", ["-c", "import sys,zipfile; assert zipfile.ZipFile(sys.argv[1]).testzip() is None", file]);
  if (python.error) t.diagnostic("python3 is not installed: its check was skipped");
  else assert.equal(python.status, 0);
});

test("the same outcomes in another order give the same bytes, volume by volume, and the same archive but for the links", async () => {
  const [first, second] = [emptyBucket(), emptyBucket()];
  await pack(await completeRun(), first);
  await pack(await completeRun({}, (indexes) => indexes.reverse()), second);
  assert.deepEqual(second.volumes, first.volumes);
});

test("an archive within its limit is one file: masks, then what describes them", async () => {
  const input = await completeRun({ maxBytes: 2 ** 30 });
  const bucket = emptyBucket();
  const finished = await pack(input, bucket);
  assert.equal(finished?.volumes, 0);
  assert.equal(bucket.uploads, 0);
  assert.deepEqual(await namesIn(await readFile(finished?.file ?? "")), [...expectedMasks, ...INDEX_FILES]);
});

test("masks that fit without the manifests are one volume", async () => {
  const masks = expectedMasks.reduce((sum, name) => sum + 2 * name.length + 128, 128);
  const pngs = Array.from({ length: ASSETS }, (_, index) => (index % 10 === 3 ? 0 : index % 10 === 7 ? LARGE : 300 + index));
  const maxBytes = pngs.reduce((sum, bytes) => sum + bytes, masks);
  const bucket = emptyBucket();
  await checkWhole(await pack(await completeRun({ maxBytes }), bucket), bucket);
  assert.equal(bucket.volumes.size, 1);
});

test("stopped between any two volumes, it goes on where it was: only what was not recorded is uploaded again", async () => {
  const input = await completeRun();
  const bucket = emptyBucket();
  let finished: FinishedArchive | undefined;
  // Each try uploads one volume; the link of the last one is never told, as when the process died right after the upload.
  for (let tries = 0; !finished; tries++) {
    assert.ok(tries < 30);
    finished = await pack(input, bucket, 2);
  }
  await checkWhole(finished, bucket);
  // Each volume but the last was uploaded again at the most once, for its upload was not recorded.
  assert.ok(bucket.uploads <= 2 * bucket.volumes.size);
});

test("a volume whose link was told is not uploaded again, though the next one was never written", async () => {
  const input = await completeRun();
  const writing = writeArchive(input);
  const { value: first } = await writing.next("");
  assert.deepEqual([first?.kind, first?.kind === "volume" && first.number], ["volume", 1]);
  const inTheWay = join(input.folder, "volume-2.zip.partial");
  await mkdir(inTheWay);
  await assert.rejects(writing.next(linkOf(1)), { code: "EISDIR" });
  await rm(inTheWay, { recursive: true });
  const again = writeArchive(input);
  const { value: second } = await again.next("");
  assert.deepEqual([second?.kind, second?.kind === "volume" && second.number], ["volume", 2]);
  await again.return();
});

test("whatever files a kill leaves, the next try makes the same volumes of them", async () => {
  const input = await completeRun();
  const whole = emptyBucket();
  const states: string[] = [];
  // The run's folder as it is before every step of the disk that counts: taken whenever a volume is due, and in between.
  const writing = writeArchive(input);
  for (let link = "", step = 0; ; step++) {
    const { value } = await writing.next(link);
    assert.ok(value);
    const state = join(root, `state-${step}`);
    await mkdir(state);
    for (const name of await readdir(input.folder)) await copyFile(join(input.folder, name), join(state, name));
    states.push(state);
    if (value.kind === "archive") break;
    await upload(value, whole);
    link = linkOf(value.number);
  }
  const damages: ((folder: string) => Promise<unknown>)[] = [
    async () => undefined,
    // Killed between the volume's file and its record; while the record was written; while a volume or the archive was written.
    async (folder) => {
      const records = JSON.parse(await readFile(join(folder, "volumes.json"), "utf8"));
      await writeFile(join(folder, "volumes.json"), JSON.stringify(records.filter(({ url }: { url?: string }) => url !== undefined)));
    },
    (folder) => writeFile(join(folder, "volumes.json.partial"), '[{"num'),
    (folder) => writeFile(join(folder, "volume-1.zip.partial"), "PK"),
    (folder) => writeFile(join(folder, "archive.zip.partial"), "PK"),
    // The records are lost: everything is written and uploaded anew.
    (folder) => writeFile(join(folder, "volumes.json"), "[{"),
    (folder) => rm(join(folder, "volumes.json")),
    // The file of a volume that is not uploaded is lost.
    async (folder) => {
      for (const name of await readdir(folder)) if (/^volume-\d+\.zip$/.test(name)) await rm(join(folder, name));
    },
  ];
  for (const [step, state] of states.entries()) {
    for (const damage of damages) {
      const folder = join(root, `damaged-${step}-${damages.indexOf(damage)}`);
      await mkdir(folder);
      for (const name of await readdir(state)) await copyFile(join(state, name), join(folder, name));
      const isDone = (await readdir(folder)).includes("archive.zip");
      if (isDone) continue;
      await damage(folder);
      const bucket: Bucket = { volumes: new Map(whole.volumes), uploads: 0 };
      await checkWhole(await pack({ ...input, folder, logFile: input.logFile }, bucket), bucket);
    }
  }
});

test("with another limit than before everything is split anew", async () => {
  const input = await completeRun();
  await pack(input, emptyBucket(), 3);
  const bucket = emptyBucket();
  await checkWhole(await pack({ ...input, maxBytes: 3 * LIMIT }, bucket), bucket);
  const other = await completeRun();
  await pack(other, emptyBucket(), 3);
  const finished = await pack({ ...other, maxBytes: 2 ** 30 }, emptyBucket());
  assert.equal(finished?.volumes, 0);
  assert.deepEqual((await readdir(other.folder)).sort(), ["archive.zip", "outcomes.log"]);
});

test("an aborted run stops, and leaves no file open or half written", async () => {
  const stop = new AbortController();
  const input = await completeRun({ signal: stop.signal });
  stop.abort(new Error("the run is gone"));
  await assert.rejects(pack(input, emptyBucket()), /the run is gone/);
  assert.deepEqual(await readdir(input.folder), ["outcomes.log"]);
});

test("no masks at all are an archive of manifests, however small the limit", async () => {
  const input = await completeRun({ maxBytes: 1 });
  const finished = await pack({ ...input, total: 0 }, emptyBucket());
  assert.deepEqual([finished?.volumes, await namesIn(await readFile(finished?.file ?? ""))], [0, INDEX_FILES]);
});
