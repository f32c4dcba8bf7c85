import assert from "node:assert/strict";
import { test } from "node:test";
import { Retry } from "../runtime/errors.js";
import { createLogger } from "../runtime/log.js";
import type { RunRecord } from "./run-record.js";
import { type BlobSweep, sweepBlobs } from "./sweep.js";

const HOUR = 3_600_000;
const NOW = 100 * HOUR;
const record = (state: RunRecord["state"]) => ({ state }) as RunRecord;

async function deletedOf(runs: Record<string, { state?: RunRecord["state"]; ageHours: number }>, changes: Partial<BlobSweep> = {}) {
  const deleted: string[] = [];
  const lines: string[] = [];
  await sweepBlobs({
    blobs: {
      listRuns: async () => Object.entries(runs).map(([run, { ageHours }]) => ({ run, youngestMs: NOW - ageHours * HOUR })),
      deleteRun: async (run) => void deleted.push(run),
    },
    store: { get: (run) => (runs[run]?.state ? record(runs[run].state) : undefined) },
    keepMs: 24 * HOUR,
    wallClock: () => NOW,
    signal: new AbortController().signal,
    log: createLogger("debug", (line) => lines.push(line)),
    ...changes,
  });
  return { deleted, lines };
}

test("blobs of runs that are not open are deleted a day after the youngest, those of open ones never", async () => {
  const { deleted } = await deletedOf({
    unknown: { ageHours: 25 },
    ended: { state: "ended", ageHours: 25 },
    young: { ageHours: 23 },
    open: { state: "open", ageHours: 1000 },
    accepted: { state: "accepted", ageHours: 1000 },
  });
  assert.deepEqual(deleted, ["unknown", "ended"]);
});

test("a blob store that is away is swept another time", async () => {
  const listRuns = () => Promise.reject(new Retry("away"));
  const { lines } = await deletedOf({}, { blobs: { listRuns, deleteRun: () => Promise.resolve() } });
  assert.match(lines.join(), /blobs could not be swept/);
});
