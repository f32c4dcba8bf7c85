import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AssetOutcome } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Delivery } from "../runtime/bus/bus.js";
import { Fatal } from "../runtime/errors.js";
import { createLogger } from "../runtime/log.js";
import { DiskFull } from "./disk-full.js";
import { type HeldRuns, recoverRuns } from "./held-runs.js";
import type { RunLog } from "./run-log.js";
import { createSpool } from "./spool-outcomes.js";
import { openVolume } from "./volume.js";

const log = createLogger("silent");
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-spool-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function delivery(run: string, index: number, acked: string[]): Delivery {
  const envelope = { run, gateway: "g", packager: "p", epoch: 1, round: 0, index, part: 0, parts: 0 };
  const body = AssetOutcome.encode({ envelope, asset: undefined, outcome: { $case: "skipped", value: { rule: "not_labeled" } } }).finish();
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
