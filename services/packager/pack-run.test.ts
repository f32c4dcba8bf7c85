import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type ReportRequest, RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import { Retry } from "../runtime/errors.js";
import { OutOfDate, UserFailure } from "../runtime/gateway-calls.js";
import { createLogger } from "../runtime/log.js";
import type { HeldRun } from "./held-runs.js";
import { Ledger } from "./ledger.js";
import { createPacker, type PackerOptions, type PackingCalls } from "./pack-run.js";

let folder = "";
let runs = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-pack-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function emptyRun(fields: Partial<HeldRun> = {}): HeldRun {
  const run = `run${runs++}`;
  return {
    run,
    epoch: 1,
    folder: join(folder, run),
    ledger: new Ledger(),
    log: undefined,
    gateway: "g",
    total: 0,
    missingWanted: undefined,
    phase: RunPhase.SPOOLING,
    failure: undefined,
    unknownSince: undefined,
    gone: new AbortController(),
    ...fields,
  };
}

/** A packer, its gateway, and a promise of the end of what it does to a run. */
function packing(calls: Partial<PackingCalls> = {}, options: Partial<PackerOptions> = {}) {
  const reports: ReportRequest[] = [];
  const uploads: string[] = [];
  const urgencies: string[] = [];
  const context = {
    run: "",
    session: "",
    projectId: "",
    archiveName: "",
    settings: undefined,
    mode: ColourMode.GRAY,
    classes: [],
    stages: [],
  };
  const gateway: PackingCalls = {
    getContext: async () => ({ context }),
    getUploadTarget: async () => ({ target: "t", url: "http://storage/a" }),
    report: async (request) => {
      reports.push(request);
      return {};
    },
    ...calls,
  };
  let settled: () => void = () => undefined;
  const reported = new Promise<void>((resolve) => {
    settled = resolve;
  });
  const packer = createPacker({
    gatewayOf: () => gateway,
    createFolder: async (path) => void (await mkdir(path, { recursive: true })),
    upload: async (_, file) => void uploads.push(file),
    reload: async () => undefined,
    archivesAtOnce: 1,
    uploadAttempts: 2,
    onChange: (run, urgency) => {
      urgencies.push(urgency);
      if (run.phase === RunPhase.REPORTED) settled();
    },
    onFatal: assert.fail,
    log: createLogger("silent"),
    ...options,
  });
  return { packer, reports, uploads, urgencies, reported };
}

test("a run that has failed is reported with its reason, and not packed", async () => {
  const { packer, reports, uploads, reported } = packing();
  packer.lookAt(emptyRun({ total: undefined, failure: "no room" }));
  await reported;
  assert.deepEqual(reports[0]?.result, { $case: "failed", value: { reason: "no room" } });
  assert.equal(uploads.length, 0);
});

test("a gateway that is away when told the result is told again, without another upload", async () => {
  let tries = 0;
  const report = async () => {
    tries += 1;
    if (tries < 3) throw new Retry("away");
    return {};
  };
  const { packer, uploads, reported } = packing({ report });
  packer.lookAt(emptyRun());
  await reported;
  assert.deepEqual([tries, uploads.length], [3, 1]);
});

test("a result that is out of date makes it look at Sync, then try with a fresh target", async () => {
  let tries = 0;
  const report = async () => {
    tries += 1;
    if (tries === 1) throw new OutOfDate("another target is the run's");
    return {};
  };
  const { packer, uploads, urgencies, reported } = packing({ report });
  packer.lookAt(emptyRun());
  await reported;
  assert.ok(urgencies.includes("now"));
  assert.equal(uploads.length, 2);
});

test("what Hub refuses for good is reported in its words", async () => {
  const { packer, reports, reported } = packing({
    getUploadTarget: async () => Promise.reject(new UserFailure("Hub gives no place to upload to")),
  });
  packer.lookAt(emptyRun());
  await reported;
  assert.deepEqual(reports[0]?.result, { $case: "failed", value: { reason: "Hub gives no place to upload to" } });
});

test("a full disk while packing is reported as such", async () => {
  const createFolder = () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" }));
  const { packer, reports, reported } = packing({}, { createFolder });
  packer.lookAt(emptyRun());
  await reported;
  assert.match(reports[0]?.result?.$case === "failed" ? reports[0].result.value.reason : "", /no room left/);
});

test("a run that is incomplete, or whose total is unknown, is left alone", async () => {
  const { packer, reports } = packing();
  packer.lookAt(emptyRun({ total: 1 }));
  packer.lookAt(emptyRun({ total: undefined }));
  await packer.stop();
  assert.equal(reports.length, 0);
});

test("stopping waits for no gateway that hangs", async () => {
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const getUploadTarget = () => {
    asked();
    return new Promise<never>(() => undefined);
  };
  const { packer, reports } = packing({ getUploadTarget });
  packer.lookAt(emptyRun());
  await isAsked;
  await packer.stop();
  assert.equal(reports.length, 0);
});

test("uploads beyond the bound wait for their turn, and a run that is gone gives its place up", async () => {
  let uploading = 0;
  let most = 0;
  let free: () => void = () => undefined;
  const upload = async () => {
    uploading += 1;
    most = Math.max(most, uploading);
    await new Promise<void>((resolve) => {
      free = resolve;
    });
    uploading -= 1;
  };
  const { packer, reports } = packing({}, { upload });
  const first = emptyRun();
  const second = emptyRun();
  const third = emptyRun();
  for (const run of [first, second, third]) packer.lookAt(run);
  const until = async (isTrue: () => boolean) => {
    for (const end = Date.now() + 5_000; !isTrue(); await new Promise((resolve) => setTimeout(resolve, 5))) assert.ok(Date.now() < end);
  };
  await until(() => uploading === 1 && [first, second, third].every(({ phase }) => phase === RunPhase.UPLOADING));
  second.gone.abort(new Error("gone"));
  free();
  await until(() => reports.length === 1 && uploading === 1);
  free();
  await until(() => reports.length === 2);
  assert.equal(most, 1);
  assert.equal(second.phase, RunPhase.UPLOADING);
  await packer.stop();
});
