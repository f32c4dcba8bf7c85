import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createSilence, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { type PinnedRun, type ReportRequest, RunPhase, RunState, type SpooledRun } from "../../proto/gen/maskline/v1/gateway.js";
import { AssetOutcome, ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import { pipeline } from "../../proto/pipeline.js";
import type { Bus } from "../runtime/bus/bus.js";
import { createMemoryBus } from "../runtime/bus/memory.js";
import { type GatewayCalls, OutOfDate } from "../runtime/gateway-calls.js";
import { connectGateway, type GatewayListener, serveGateway } from "../runtime/grpc.js";
import { createLogger } from "../runtime/log.js";
import type { Service } from "../runtime/service.js";
import { LOG_FILE } from "./held-runs.js";
import { type PackagerOptions, startPackager } from "./main.js";

const RUN = "01JRUN00000000000000000000";
const TOKEN = "secret";
const QUEUE = pipeline.assetOutcome.queue("p1");

interface Outcome {
  readonly index: number;
  readonly part?: number;
  readonly parts?: number;
  readonly epoch?: number;
  readonly taskId?: string;
  readonly run?: string;
  readonly outcome?: AssetOutcome["outcome"];
}

function rendered(index: number, part: number): NonNullable<AssetOutcome["outcome"]> {
  const png = Buffer.from(`png of ${index}.${part} ${"x".repeat(index * 10)}`);
  return {
    $case: "rendered",
    value: {
      width: 4,
      height: 2,
      png,
      sha256: createHash("sha256").update(png).digest(),
      pixels: [{ classIndex: 0, pixels: index }],
      dropped: index % 2 === 1 ? [{ kind: "bounding-box", count: 1 }] : [],
    },
  };
}

const skip: NonNullable<AssetOutcome["outcome"]> = { $case: "skipped", value: { rule: "not_labeled" } };
const reject: NonNullable<AssetOutcome["outcome"]> = {
  $case: "rejected",
  value: { code: "no_size", reason: "no size, see http://h/i.png?sig=s3cret" },
};

function encode({
  index,
  part = 0,
  parts = 1,
  epoch = 1,
  taskId = `task${index}`,
  run = RUN,
  outcome = rendered(index, part),
}: Outcome): Buffer {
  const whole = outcome.$case !== "rendered";
  return Buffer.from(
    AssetOutcome.encode({
      envelope: { run, gateway: "g1", packager: "p1", epoch, round: 0, index, part: whole ? 0 : part, parts: whole ? 0 : parts },
      asset: { taskId, assetId: `asset${index}`, externalId: `image ${index}.jpg`, batches: ["first"] },
      outcome,
    }).finish(),
  );
}

/** A gateway that pins what the test says, and an object storage beside it. */
class FakeGateway implements GatewayCalls {
  readonly pinned = new Map<string, PinnedRun>();
  readonly told = new Map<string, SpooledRun>();
  readonly ledgerIds = new Set<string>();
  readonly reports: ReportRequest[] = [];
  readonly uploads: Buffer[] = [];
  /** Statuses of the next uploads; 200 behind them. */
  readonly refusals: number[] = [];
  /** Uploads that have begun, and what the next ones wait for. */
  uploading = 0;
  holdsUpload: Promise<void> | undefined;
  answersSync = true;
  targets = 0;
  fileTarget: string | undefined;
  #listener: GatewayListener | undefined;
  readonly #storage: Server = createServer(async (request, response) => {
    const body = await buffer(request);
    this.uploading += 1;
    await this.holdsUpload;
    const status = this.refusals.shift() ?? 200;
    if (status === 200) this.uploads.push(body);
    response.writeHead(status).end(status === 200 ? "" : "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
  });

  async start(): Promise<void> {
    this.#listener = await serveGateway(this, { host: "127.0.0.1", port: 0, token: TOKEN });
    this.#storage.listen(0, "127.0.0.1");
    await once(this.#storage, "listening");
  }
  get address(): string {
    return `127.0.0.1:${this.#listener?.port}`;
  }
  async stop(): Promise<void> {
    await this.#listener?.close();
    this.#storage.closeAllConnections();
    this.#storage.close();
  }
  pin(run: Partial<PinnedRun> = {}): void {
    const one = { run: RUN, epoch: 1, round: 0, state: RunState.OPEN, wantMissing: false, ...run };
    this.pinned.set(one.run, one);
  }
  async getContext({ run }: { run: string }) {
    const classes = [
      { title: "Car", value: 1, schemaIds: ["s"] },
      { title: "it's", value: 2, schemaIds: ["t"] },
    ];
    const context = {
      run,
      session: "s",
      projectId: "p",
      archiveName: "a.zip",
      settings: undefined,
      mode: ColourMode.GRAY,
      classes,
      stages: [],
    };
    return { context };
  }
  async sync({ ledgerId, runs }: { ledgerId: string; runs: SpooledRun[] }) {
    if (!this.answersSync) await new Promise(() => undefined);
    this.ledgerIds.add(ledgerId);
    this.told.clear();
    for (const run of runs) this.told.set(run.run, run);
    return { gateway: "g1", runs: [...this.pinned.values()] };
  }
  async getUploadTarget({ run, epoch }: { run: string; epoch: number }) {
    if (this.pinned.get(run)?.epoch !== epoch) throw new OutOfDate("epoch");
    this.targets += 1;
    const { port } = this.#storage.address() as AddressInfo;
    return { target: `target${this.targets}`, url: this.fileTarget ?? `http://127.0.0.1:${port}/bucket/a.zip?signature=s3cret` };
  }
  async report(request: ReportRequest) {
    if (this.pinned.get(request.run)?.epoch !== request.epoch) throw new OutOfDate("epoch");
    this.reports.push(request);
    return {};
  }
}

let folder = "";
let bus: Bus;
let gateway: FakeGateway;
let closers: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-packager-"));
  bus = createMemoryBus({ maxMessages: 10_000, maxBytes: 2 ** 30 });
  gateway = new FakeGateway();
  await gateway.start();
  closers = [];
});
afterEach(async () => {
  for (const close of closers.reverse()) await close();
  await gateway.stop();
  await bus.close();
  await rm(folder, { recursive: true, force: true });
});

async function startOn(dataDir: string, options: Partial<PackagerOptions> = {}): Promise<Service> {
  const connection = connectGateway(gateway.address, TOKEN);
  const service = await startPackager(
    {
      bus,
      blobs: { put: async () => undefined, get: async () => undefined, deleteRun: async () => undefined, listRuns: async () => [] },
      log: createLogger("silent"),
      onFatal: (error) => assert.fail(error),
    },
    {
      packagerId: "p1",
      dataDir,
      gateways: [connection],
      allowFileTargets: false,
      archivesAtOnce: 2,
      archiveLimit: 2 ** 30,
      uploadTimeoutMs: 5_000,
      uploadAttempts: 3,
      unknownKeepMs: 60_000,
      syncEveryMs: 100,
      ...options,
    },
  );
  closers.push(() => connection.close());
  closers.push(() => service.stop());
  return service;
}
const start = (options?: Partial<PackagerOptions>) => startOn(folder, options);

async function publish(...outcomes: Outcome[]): Promise<void> {
  for (const [position, outcome] of outcomes.entries()) {
    await bus.publish({ queue: QUEUE, key: RUN, id: `${position}-${Math.random()}`, headers: {}, body: encode(outcome) });
  }
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await isTrue()); await sleep(10)) assert.ok(Date.now() < end, `waited too long for: ${what}`);
}
const settled = () => until("all outcomes to be acknowledged", async () => (await bus.lag(QUEUE)) === 0);
const accounted = (count: number) => until(`${count} assets to be accounted`, () => gateway.told.get(RUN)?.accounted === count);
const reported = (count = 1) => until(`${count} reports`, () => gateway.reports.length === count);

const runFolder = (epoch = 1) => join(folder, "packager", "runs", `${RUN}.${epoch}`);
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Names and contents by an independent reader; undefined when there is no Python. */
function readZip(file: string): { names: string[]; text: Record<string, string> } | undefined {
  const script = `import sys,json,zipfile
z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
assert all(i.date_time==(1980,1,1,0,0,0) and i.compress_type==0 for i in z.infolist())
print(json.dumps({"names":z.namelist(),"text":{n:z.read(n).decode() for n in z.namelist()}}))`;
  const { status, stdout, error } = spawnSync("python3", ["-c", script, file], { encoding: "utf8", timeout: 20_000 });
  if (error) return undefined;
  assert.equal(status, 0);
  return JSON.parse(stdout);
}

const mixed: Outcome[] = [
  { index: 0 },
  { index: 1, outcome: skip },
  { index: 2, part: 0, parts: 3 },
  { index: 2, part: 1, parts: 3 },
  { index: 2, part: 2, parts: 3 },
  { index: 3, outcome: reject },
  { index: 4, taskId: "TASK0" },
  { index: 5 },
];

function shuffled<T>(items: readonly T[], seed: number): T[] {
  return items
    .map((item, position) => ({ item, key: createHash("sha256").update(`${seed}/${position}`).digest("hex") }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ item }) => item);
}

test("outcomes in any order, some of them twice, become one upload with the same bytes", async () => {
  gateway.pin({ total: 6 });
  for (const seed of [1, 2]) {
    const service = await startOn(join(folder, String(seed)));
    await publish(...shuffled([...mixed, ...mixed.slice(2, 6)], seed));
    await reported(seed);
    await settled();
    await service.stop();
  }
  assert.equal(gateway.uploads.length, 2);
  assert.ok(gateway.uploads[0]?.equals(gateway.uploads[1] ?? Buffer.alloc(0)));
  assert.deepEqual(gateway.reports[0], {
    run: RUN,
    epoch: 1,
    result: {
      $case: "uploaded",
      value: {
        target: "target1",
        bytes: gateway.uploads[0]?.length,
        counts: { maskedAssets: 4, masks: 6, skipped: { not_labeled: 1 }, rejected: { no_size: 1 }, dropped: { "bounding-box": 1 } },
        volumes: undefined,
        times: undefined,
      },
    },
  });
});

test("the archive opens elsewhere, and holds masks in asset order, mapping and manifests", async (t) => {
  gateway.pin({ total: 6 });
  await start();
  await publish(...mixed);
  await reported();
  const file = join(folder, "uploaded.zip");
  await writeFile(file, gateway.uploads[0] ?? "");
  const unzip = spawnSync("unzip", ["-tq", file], { encoding: "utf8", timeout: 20_000 });
  if (unzip.error) t.diagnostic("unzip is not installed: its check was skipped");
  else assert.equal(unzip.status, 0, unzip.stdout);
  const zip = readZip(file);
  if (!zip) return t.skip("python3 is not installed: the archive was not read by it");
  assert.deepEqual(zip.names, [
    "task0.png",
    "task2-1.png",
    "task2-2.png",
    "task2-3.png",
    "TASK0-2.png",
    "task5.png",
    "class_mapping.json",
    "class_mapping.txt",
    "manifest.ndjson",
    "manifest.csv",
  ]);
  assert.equal(zip.text["class_mapping.txt"], `{'Car': 1, "it's": 2}\n`);
  assert.equal(zip.text["task2-3.png"], "png of 2.2 xxxxxxxxxxxxxxxxxxxx");
  const lines =
    zip.text["manifest.ndjson"]
      ?.trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)) ?? [];
  assert.deepEqual(
    lines.map(({ index, part, outcome, file: name }) => [index, part, outcome, name]),
    [
      [0, undefined, "mask", "task0.png"],
      [1, undefined, "skipped", undefined],
      [2, 1, "mask", "task2-1.png"],
      [2, 2, "mask", "task2-2.png"],
      [2, 3, "mask", "task2-3.png"],
      [3, undefined, "rejected", undefined],
      [4, undefined, "mask", "TASK0-2.png"],
      [5, undefined, "mask", "task5.png"],
    ],
  );
  for (const line of lines.filter(({ outcome }) => outcome === "mask")) {
    assert.equal(
      line.sha256,
      createHash("sha256")
        .update(zip.text[line.file] ?? "")
        .digest("hex"),
    );
  }
  assert.equal(zip.text["manifest.csv"]?.split("\r\n")[2], "image 1.jpg,task1,,skipped,nobody labeled it");
  assert.ok(!JSON.stringify(zip.text).includes("s3cret"), "a signature reached the archive");
  assert.ok(!JSON.stringify(zip).includes(RUN));
});

test("an export without assets completes at once, with mapping and empty manifests", async () => {
  gateway.pin({ total: 0 });
  await start();
  await reported();
  const file = join(folder, "uploaded.zip");
  await writeFile(file, gateway.uploads[0] ?? "");
  assert.equal(readZip(file)?.text["manifest.csv"] ?? TABLE, TABLE);
});
const TABLE = "externalId,taskId,file,outcome,reason\r\n";

test("an unknown run is spooled without asking, and waits for its total", async () => {
  await start();
  await publish(...mixed);
  await accounted(6);
  assert.equal(gateway.told.get(RUN)?.phase, RunPhase.SPOOLING);
  gateway.pin();
  await sleep(50);
  assert.equal(gateway.reports.length, 0);
  gateway.pin({ total: 6 });
  await reported();
});

test("after a restart in the middle the run goes on, and missing indexes are told for the round that asked", async () => {
  gateway.pin({ total: 6 });
  const first = await start();
  await publish(...mixed.slice(0, 6));
  await accounted(4);
  await first.stop();
  gateway.pin({ total: 6, round: 1, wantMissing: true });
  await start();
  await until("the missing indexes", () => gateway.told.get(RUN)?.missingForRound === 1);
  assert.deepEqual(gateway.told.get(RUN)?.missing, [{ first: 4, end: 6 }]);
  assert.equal(gateway.ledgerIds.size, 1);
  await publish(...mixed.slice(6));
  await reported();
});

test("a torn tail and a rotten record are missing after a restart, nothing else is", async () => {
  gateway.pin({ total: 6 });
  const first = await start();
  await publish(...mixed.slice(0, 7));
  await accounted(5);
  await first.stop();
  const log = join(runFolder(), LOG_FILE);
  const bytes = await readFile(log);
  const rotten = bytes.indexOf("task1");
  bytes[rotten] = 0;
  await writeFile(log, bytes);
  await appendFile(log, encode({ index: 5 }).subarray(0, 20));
  gateway.pin({ total: 6, round: 2, wantMissing: true });
  await start();
  await until("the missing indexes", () => gateway.told.get(RUN)?.missingForRound === 2);
  assert.deepEqual(gateway.told.get(RUN)?.missing, [
    { first: 1, end: 2 },
    { first: 5, end: 6 },
  ]);
  await publish({ index: 1, outcome: skip }, { index: 5 });
  await reported();
});

test("a record that rots under a running packager is found when packing, and asked for again", async () => {
  await start();
  await publish(...mixed);
  await accounted(6);
  const log = join(runFolder(), LOG_FILE);
  const bytes = await readFile(log);
  bytes[bytes.indexOf("png of 5")] = 0;
  await writeFile(log, bytes);
  gateway.pin({ total: 6 });
  await accounted(5);
  assert.equal(gateway.reports.length, 0);
  await publish({ index: 5 });
  await reported();
});

test("an upload that is refused gets a fresh target, and the report names that one", async () => {
  gateway.pin({ total: 1 });
  gateway.refusals.push(403);
  await start();
  await publish({ index: 0 });
  await reported();
  assert.equal(gateway.targets, 2);
  const [report] = gateway.reports;
  assert.equal(report?.result?.$case === "uploaded" && report.result.value.target, "target2");
});

test("an upload that is refused every time is reported as failed, without the URL", async () => {
  gateway.pin({ total: 1 });
  gateway.refusals.push(403, 403);
  await start({ uploadAttempts: 2 });
  await publish({ index: 0 });
  await reported();
  const [report] = gateway.reports;
  assert.ok(report?.result?.$case === "failed");
  assert.match(report.result.value.reason, /could not be uploaded: the storage answered HTTP 403 \(AccessDenied: Request has expired\)/);
  assert.doesNotMatch(report.result.value.reason, /s3cret/);
});

test("a new epoch told by Sync drops what was held, is echoed, and refuses messages of the old one", async () => {
  gateway.pin({ total: 2 });
  await start();
  await publish({ index: 0 });
  await accounted(1);
  gateway.pin({ total: 2, epoch: 2 });
  await until("the echo", () => gateway.told.get(RUN)?.epoch === 2);
  assert.equal(gateway.told.get(RUN)?.accounted, 0);
  await publish({ index: 0 }, { index: 1 });
  await settled();
  assert.equal(await exists(runFolder(1)), false);
  await sleep(50);
  assert.equal(gateway.told.get(RUN)?.accounted, 0);
  await publish({ index: 0, epoch: 2 }, { index: 1, epoch: 2 });
  await reported();
  assert.equal(gateway.reports[0]?.epoch, 2);
  assert.equal(await exists(runFolder(1)), false);
});

test("messages of a higher epoch start the run anew even before Sync tells", async () => {
  await start();
  await publish({ index: 0 }, { index: 1 }, { index: 0, epoch: 3 }, { index: 2 });
  await until("the new epoch", () => gateway.told.get(RUN)?.epoch === 3);
  await accounted(1);
});

test("spool and archive are deleted when Sync says ended, and a late repeat is not spooled again", async () => {
  gateway.pin({ total: 1 });
  await start();
  await publish({ index: 0 });
  await reported();
  assert.equal(await exists(join(runFolder(), "archive.zip")), true);
  gateway.pin({ state: RunState.ENDED });
  await until("the folder to go", async () => !(await exists(runFolder())));
  await publish({ index: 0 });
  await settled();
  assert.deepEqual(await readdir(join(folder, "packager", "runs")), []);
});

test("a run that its own gateway does not know is kept for a while, then deleted", async () => {
  await start({ unknownKeepMs: 300 });
  await publish({ index: 0 });
  await settled();
  assert.equal(await exists(runFolder()), true);
  gateway.pin({ state: RunState.UNKNOWN });
  await until("the folder to go", async () => !(await exists(runFolder())));
});

test("after a restart a finished archive is used again", async () => {
  gateway.pin({ total: 1 });
  gateway.refusals.push(...Array<number>(50).fill(503));
  const first = await start({ uploadAttempts: 1000 });
  await publish({ index: 0 });
  await until("the archive", () => exists(join(runFolder(), "archive.zip")));
  await first.stop();
  const { mtimeMs } = await stat(join(runFolder(), "archive.zip"));
  gateway.refusals.length = 0;
  await start();
  await reported();
  assert.equal((await stat(join(runFolder(), "archive.zip"))).mtimeMs, mtimeMs);
});

test("an offline run is copied to its file target, where that is allowed", async () => {
  gateway.pin({ total: 1 });
  const target = join(folder, "out", "masks.zip");
  gateway.fileTarget = pathToFileURL(target).href;
  await start({ allowFileTargets: true });
  await publish({ index: 0 });
  await reported();
  assert.deepEqual(await readFile(target), await readFile(join(runFolder(), "archive.zip")));
  assert.deepEqual(await readdir(join(folder, "out")), ["masks.zip"]);
});

test("what is no outcome is dropped, and hinders nobody", async () => {
  gateway.pin({ total: 1 });
  await start();
  for (const body of [Buffer.from("rubbish"), Buffer.alloc(0), encode({ index: 0, run: "../../x" })]) {
    await bus.publish({ queue: QUEUE, key: "x", id: String(Math.random()), headers: {}, body });
  }
  await publish({ index: 0 });
  await reported();
  await settled();
});

test("a second gateway that hangs delays nobody", async () => {
  const held = new Set<Socket>();
  const silent = createSilence((socket) => void held.add(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const hanging = connectGateway(`127.0.0.1:${port}`, TOKEN);
  const answering = connectGateway(gateway.address, TOKEN);
  gateway.pin({ total: 1 });
  const service = await start({ gateways: [hanging, answering] });
  let gaveUp = false;
  const call = hanging.sync({ packager: "p1", ledgerId: "l", runs: [] }).catch(() => {
    gaveUp = true;
  });
  await publish({ index: 0 });
  await reported();
  assert.equal(gaveUp, false, "it was reported before a call to the silent one came to its deadline");
  assert.equal(service.notReady(), undefined);
  await service.stop();
  hanging.close();
  answering.close();
  for (const socket of held) socket.destroy();
  silent.close();
  await call;
});

test("a complete run is packed though no Sync is answered any more", async () => {
  gateway.pin({ total: 1 });
  await start();
  await until("the total to be told", () => gateway.told.has(RUN));
  gateway.answersSync = false;
  await publish({ index: 0 });
  await reported();
});

test("while one run's archive is being uploaded, another one is spooled, packed and reported", async () => {
  const other = "01JRUN00000000000000000001";
  gateway.pin({ total: 1 });
  gateway.pin({ run: other, total: 1 });
  let release = () => {};
  gateway.holdsUpload = new Promise((resolve) => {
    release = resolve;
  });
  await start({ uploadTimeoutMs: 60_000 });
  await publish({ index: 0 });
  await until("the upload to begin", () => gateway.uploading === 1);
  gateway.holdsUpload = undefined;
  await publish({ run: other, index: 0 });
  await reported();
  assert.equal(gateway.reports[0]?.run, other);
  release();
  await reported(2);
});

test("two packagers never share a volume", async () => {
  await start();
  await assert.rejects(start(), { name: "Fatal" });
});
