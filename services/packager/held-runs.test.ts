import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createLogger } from "../runtime/log.js";
import { type HeldRuns, recoverRuns } from "./held-runs.js";
import { openVolume } from "./volume.js";

const log = createLogger("silent");
let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-held-"));
});
after(() => rm(folder, { recursive: true, force: true }));

const openRuns = async (name: string): Promise<HeldRuns> => recoverRuns(await openVolume(join(folder, name), log), log);

/** A task that goes on when it is told to. */
function heldBack(task: () => Promise<void>): { readonly task: () => Promise<void>; readonly proceed: () => void } {
  let proceed: () => void = () => undefined;
  const told = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  return { task: () => told.then(task), proceed };
}

test("the folder of a run that ends at that moment is not made again", async () => {
  const runs = await openRuns("gone");
  const run = await runs.begin("A", 1, "g");
  const ending = heldBack(() => runs.end("A"));
  const ended = runs.serially(ending.task);
  const made = assert.rejects(runs.createFolder(run), /has ended/);
  ending.proceed();
  await Promise.all([ended, made]);
  assert.deepEqual(await readdir(join(folder, "gone", "runs")), []);
  await runs.close();
});

test("closing waits for what is under way, so that no log stays open behind it", async () => {
  const runs = await openRuns("close");
  const applying = heldBack(async () => {
    await runs.logOf(await runs.begin("A", 1, "g"));
  });
  const applied = runs.serially(applying.task);
  const closed = runs.close();
  applying.proceed();
  await Promise.all([applied, closed]);
  const runLog = runs.get("A")?.log;
  runLog?.append(Buffer.from("x"));
  await assert.rejects(runLog?.commit() ?? Promise.resolve(), { name: "Fatal" });
});
