import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ReportRequest, RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import { Retry } from "../runtime/errors.js";
import { OutOfDate, UserFailure } from "../runtime/gateway-calls.js";
import { createLogger } from "../runtime/log.js";
import type { PackingCalls } from "./ask-gateway.js";
import type { HeldRun } from "./held-runs.js";
import { Ledger } from "./ledger.js";
import { createPacker, type PackerOptions } from "./pack-run.js";
import { createRunFigures } from "./run-figures.js";
import { UploadFailed } from "./upload.js";

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
    volumeBytes: 0,
    failure: undefined,
    traceparent: undefined,
    figures: createRunFigures(),
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
    createFolder: async (run) => void (await mkdir(run.folder, { recursive: true })),
    upload: async (_, file) => void uploads.push(file),
    reload: async () => undefined,
    archivesAtOnce: 1,
    archiveLimit: 2 ** 30,
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

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !isTrue(); await sleep(5)) assert.ok(Date.now() < end, "waited too long");
}

test("a run that has failed is reported with its reason, and not packed", async () => {
  const { packer, reports, uploads, reported } = packing();
  packer.lookAt(emptyRun({ total: undefined, failure: "no room" }));
  await reported;
  assert.deepEqual(reports[0]?.result, { $case: "failed", value: { reason: "no room" } });
  assert.equal(uploads.length, 0);
});

test("a gateway that is away when told the result is told again, without another upload", async () => {
  const results: unknown[] = [];
  const report = async ({ result }: ReportRequest) => {
    results.push(result?.$case);
    if (results.length < 3) throw new Retry("away");
    return {};
  };
  const { packer, uploads, reported } = packing({ report });
  packer.lookAt(emptyRun());
  await reported;
  assert.deepEqual([results, uploads.length], [["uploaded", "uploaded", "uploaded"], 1]);
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

test("an archive that no target takes is tried once, and reported in the user's words", async () => {
  let tries = 0;
  const upload = () => {
    tries += 1;
    return Promise.reject(new UserFailure("too large"));
  };
  const { packer, reports, reported } = packing({}, { upload });
  packer.lookAt(emptyRun());
  await reported;
  assert.deepEqual(reports[0]?.result, { $case: "failed", value: { reason: "too large" } });
  assert.equal(tries, 1);
});

test("a gateway that is away keeps no other gateway's run from uploading", { timeout: 10_000 }, async (t) => {
  const away = emptyRun({ gateway: "away" });
  const { packer, reports, reported } = packing({
    getUploadTarget: ({ run }) =>
      run === away.run ? Promise.reject(new Retry("away")) : Promise.resolve({ target: "t", url: "http://storage/a" }),
  });
  t.after(() => packer.stop());
  packer.lookAt(away);
  await until(() => away.phase === RunPhase.UPLOADING);
  const other = emptyRun();
  packer.lookAt(other);
  await reported;
  assert.deepEqual(
    reports.map(({ run }) => run),
    [other.run],
  );
});

test("an upload that waits for another try keeps no other one from starting", { timeout: 10_000 }, async (t) => {
  const refused = emptyRun();
  let refusals = 0;
  const { packer, reports, reported } = packing(
    {},
    {
      upload: async (_, file) => {
        if (!file.startsWith(refused.folder)) return;
        refusals += 1;
        throw new UploadFailed("again in a minute", 60_000);
      },
    },
  );
  t.after(() => packer.stop());
  packer.lookAt(refused);
  await until(() => refusals === 1);
  const other = emptyRun();
  packer.lookAt(other);
  await reported;
  assert.deepEqual(
    reports.map(({ run }) => run),
    [other.run],
  );
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
