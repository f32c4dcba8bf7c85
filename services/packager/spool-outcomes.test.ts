import assert from "node:assert/strict";
import { mkdtemp, open as openFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AssetOutcome } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Delivery } from "../runtime/bus/bus.js";
import { Fatal } from "../runtime/errors.js";
import { createLogger } from "../runtime/log.js";
import { DiskFull } from "./disk-full.js";
import { type HeldRuns, LOG_FILE, recoverRuns } from "./held-runs.js";
import { RECORD_HEADER_BYTES } from "./record-format.js";
import { type RunLog, readRecord } from "./run-log.js";
import { createSpool } from "./spool-outcomes.js";
import { openVolume } from "./volume.js";

const log = createLogger("silent");
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-spool-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function delivery(run: string, index: number, acked: string[]): Delivery {
  const skipped = { asset: undefined, outcome: { $case: "skipped", value: { rule: "not_labeled" } } } as const;
  return outcomeOf(run, { index, part: 0, parts: 0 }, skipped, acked);
}

function outcomeOf(
  run: string,
  cell: { readonly index: number; readonly part: number; readonly parts: number },
  result: Pick<AssetOutcome, "asset" | "outcome">,
  acked: string[],
): Delivery {
  const { index } = cell;
  const envelope = { run, gateway: "g", packager: "p", epoch: 1, round: 0, ...cell };
  const body = AssetOutcome.encode({ envelope, ...result }).finish();
  return {
    queue: "q",
    key: run,
    id: `${run}/${index}`,
    headers: {},
    body,
    attempt: 1,
    ack: async () => void acked.push(`${run}/${index}`),
    retry: async () => assert.fail("nothing is handed back"),
  };
}

/** Runs on a volume of their own, where the log of some commits through `commit`. */
async function runsWith(name: string, commit: (run: string, real: RunLog) => Promise<void>): Promise<HeldRuns> {
  const runs = await recoverRuns(await openVolume(join(folder, name), log), log);
  const wrapped = new WeakSet<RunLog>();
  return {
    ...runs,
    async logOf(held) {
      const real = await runs.logOf(held);
      if (wrapped.has(real)) return real;
      const logged: RunLog = {
        get bytes() {
          return real.bytes;
        },
        append: real.append,
        commit: () => commit(held.run, real),
        close: real.close,
      };
      wrapped.add(logged);
      held.log = logged;
      return logged;
    },
  };
}

test("outcomes are acknowledged and counted after the commit that holds them, many with one", async () => {
  const acked: string[] = [];
  let commits = 0;
  const runs = await runsWith("group", async (_, real) => {
    commits += 1;
    assert.equal(acked.length % 100, 0);
    assert.equal(runs.get("A")?.ledger.accounted, acked.length);
    await real.commit();
  });
  const spool = createSpool({ runs, onChange: () => undefined, onFatal: assert.fail, log });
  for (let index = 0; index < 100; index++) spool.deliver(delivery("A", index, acked));
  await spool.drain();
  assert.equal(commits, 1);
  assert.equal(acked.length, 100);
  assert.equal(runs.get("A")?.ledger.accounted, 100);
  await runs.close();
});

test("a full disk fails the run that needed it, and others go on", async () => {
  const acked: string[] = [];
  const changed: string[] = [];
  const runs = await runsWith("full", (run, real) => (run === "A" ? Promise.reject(new DiskFull()) : real.commit()));
  const spool = createSpool({ runs, onChange: ({ run }) => changed.push(run), onFatal: assert.fail, log });
  for (const run of ["A", "B"]) spool.deliver(delivery(run, 0, acked));
  await spool.drain();
  spool.deliver(delivery("A", 1, acked));
  spool.deliver(delivery("B", 1, acked));
  await spool.drain();
  assert.match(runs.get("A")?.failure ?? "", /no room left on the disk/);
  assert.equal(runs.get("A")?.ledger.accounted, 0);
  assert.equal(runs.get("B")?.failure, undefined);
  assert.equal(runs.get("B")?.ledger.accounted, 2);
  assert.equal(acked.length, 4);
  assert.ok(changed.includes("A"), "nobody was told of the failure");
  await runs.close();
});

test("a run that failed is acknowledged and not spooled any more, even when there is room again", async () => {
  const acked: string[] = [];
  let isFull = true;
  const runs = await runsWith("failed", (_, real) => (isFull ? Promise.reject(new DiskFull()) : real.commit()));
  const spool = createSpool({ runs, onChange: () => undefined, onFatal: assert.fail, log });
  spool.deliver(delivery("A", 0, acked));
  await spool.drain();
  isFull = false;
  spool.deliver(delivery("A", 1, acked));
  await spool.drain();
  assert.deepEqual([acked.length, runs.get("A")?.ledger.accounted, runs.get("A")?.log?.bytes], [2, 0, 0]);
  await runs.close();
});

test("the logs of several runs are synced at the same time, and told of when all are", async () => {
  const names = ["A", "B", "C"];
  let committing = 0;
  const runs = await runsWith("together", async (_, real) => {
    committing += 1;
    for (const end = Date.now() + 2_000; committing < names.length; await sleep(5)) assert.ok(Date.now() < end, "one after the other");
    await real.commit();
  });
  const told: (readonly [string, number[]])[] = [];
  const accounted = () => runs.all().map(({ ledger }) => ledger.accounted);
  const spool = createSpool({ runs, onChange: ({ run }) => told.push([run, accounted()]), onFatal: assert.fail, log });
  const acked: string[] = [];
  for (const run of names) spool.deliver(delivery(run, 0, acked));
  await spool.drain();
  assert.deepEqual(
    told,
    names.map((run) => [run, [1, 1, 1]]),
  );
  assert.equal(acked.length, 3);
  await runs.close();
});

test("the asset of an outcome that no record can hold is rejected, and another start reads the same", async () => {
  const acked: string[] = [];
  const open = () => openVolume(join(folder, "large"), log).then((volume) => recoverRuns(volume, log));
  const runs = await open();
  const spool = createSpool({ runs, onChange: () => undefined, onFatal: assert.fail, log, maxPayloadBytes: 300 });
  const png = Buffer.alloc(400);
  const rendered = { width: 1, height: 1, png, sha256: Buffer.alloc(32), pixels: [], dropped: [] };
  const asset = (batches: string[]) => ({ taskId: "t", assetId: "a", externalId: "x", batches });
  const large = (index: number, batches: string[]) =>
    outcomeOf("A", { index, part: 1, parts: 2 }, { asset: asset(batches), outcome: { $case: "rendered", value: rendered } }, acked);
  spool.deliver(large(0, ["first"]));
  spool.deliver(large(1, ["b".repeat(300)]));
  await spool.drain();
  await runs.close();
  assert.equal(acked.length, 2);
  const again = await open();
  for (const held of [runs.get("A"), again.get("A")]) assert.deepEqual(held?.ledger.counts().rejected, { over_limit: 2 });
  const [first, second] = [0, 1].map((index) => again.get("A")?.ledger.final(index));
  assert.ok(first?.kind === "rejected" && second?.kind === "rejected");
  for (const { record } of [first, second]) assert.ok(record.length <= RECORD_HEADER_BYTES + 300);
  const file = await openFile(join(again.get("A")?.folder ?? "", LOG_FILE));
  const told = AssetOutcome.decode(await readRecord(file, first.record));
  await file.close();
  assert.deepEqual(told.asset?.batches, ["first"]);
  assert.match(told.outcome?.$case === "rejected" ? told.outcome.value.reason : "", /takes \d+ bytes.* stores 300/);
  await again.close();
});

test("a disk that fails is fatal, and nothing is acknowledged any more", async () => {
  const acked: string[] = [];
  const fatal: Error[] = [];
  const runs = await runsWith("broken", () => Promise.reject(new Fatal("the disk failed")));
  const spool = createSpool({ runs, onChange: () => undefined, onFatal: (error) => fatal.push(error), log });
  spool.deliver(delivery("A", 0, acked));
  await spool.drain();
  spool.deliver(delivery("B", 0, acked));
  await spool.drain();
  assert.deepEqual([fatal.length, acked.length], [1, 0]);
  await runs.close();
});
