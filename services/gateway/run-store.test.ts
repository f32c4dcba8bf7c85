import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { Fatal } from "../runtime/errors.js";
import { type AcceptedRun, type EndedRun, forgetful } from "./run-record.js";
import { openRunStore } from "./run-store.js";

const API_KEY = "the-key-of-the-user";

const accepted = (run: string, session = `session of ${run}`): AcceptedRun => ({
  run,
  plugin: "plugin",
  session: {
    session,
    projectId: "P",
    apiKey: API_KEY,
    orgId: "O",
    runBy: "U",
    configJson: '{"verbose":true}',
    stage: undefined,
    batches: ["b"],
  },
  acceptedAt: 1000,
  state: "accepted",
});

const ended = (record: AcceptedRun, response: string, at = 2000): EndedRun => ({
  ...record,
  state: "ended",
  epoch: 1,
  end: {
    answer: { export: true, response, session: record.session.session },
    lines: [{ level: "INFO", message: "Done" }],
    at,
    confirmedAt: undefined,
  },
});

async function temporary(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-store-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "runs");
}

const neverFatal = (error: Error) => assert.fail(error);

test("what was stored is there after the store is opened again", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, undefined, neverFatal);
  await store.insert(accepted("R1"));
  const frozen = { total: 3, bytes: 30, archiveName: "a.zip", verbose: true, verboseFrequency: 10 };
  await store.change("R1", () => ({ ...accepted("R1"), state: "open", frozen, pin: undefined }), Buffer.from("context"));
  const before = store.get("R1");
  await store.close();

  const again = openRunStore(folder, undefined, neverFatal);
  assert.deepEqual(again.get("R1"), before);
  assert.deepEqual(again.active(), [before]);
  assert.equal(again.context("R1")?.toString(), "context");
  await again.close();
});

test("a session inserted many times at once is one run", async (context) => {
  const store = openRunStore(await temporary(context), undefined, neverFatal);
  const inserts = await Promise.all(["R1", "R2", "R3"].map((run) => store.insert(accepted(run, "S"))));
  assert.deepEqual(
    inserts.map(({ record, inserted }) => [record.run, inserted]),
    [
      ["R1", true],
      ["R1", false],
      ["R1", false],
    ],
  );
  assert.equal(store.all().length, 1);
  await store.close();
});

test("the same session of two plugins is two runs", async (context) => {
  const store = openRunStore(await temporary(context), undefined, neverFatal);
  await store.insert(accepted("R1", "S"));
  assert.ok((await store.insert({ ...accepted("R2", "S"), plugin: "other" })).inserted);
  assert.equal(store.all().length, 2);
  await store.close();
});

test("of many decisions made at once the first one stays", async (context) => {
  const store = openRunStore(await temporary(context), undefined, neverFatal);
  await store.insert(accepted("R1"));
  const decide = (response: string) => store.change("R1", (record) => (record.state === "accepted" ? ended(record, response) : undefined));
  const [first, second] = await Promise.all([decide("one"), decide("two")]);
  assert.equal(second, undefined);
  assert.deepEqual(store.get("R1"), first);
  await store.close();
});

test("nobody but the owner may read the files", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, undefined, neverFatal);
  await store.insert(accepted("R1"));
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const file of await readdir(folder)) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
  await store.close();
});

test("under STATE_KEY neither key nor session is readable, and another STATE_KEY is refused", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, "state key", neverFatal);
  await store.insert(accepted("R1"));
  await store.change("R1", (record) => ({ ...record }), Buffer.from("the classes"));
  await store.close();
  for (const file of await readdir(folder)) {
    const bytes = await readFile(join(folder, file));
    for (const secret of [API_KEY, "session of", "the classes"]) assert.ok(!bytes.includes(secret), `${secret} in ${file}`);
  }
  assert.throws(() => openRunStore(folder, "another", neverFatal), Fatal);
  assert.throws(() => openRunStore(folder, undefined, neverFatal), Fatal);
  const again = openRunStore(folder, "state key", neverFatal);
  assert.equal(again.get("R1")?.session.apiKey, API_KEY);
  await again.close();
});

test("what was stored without a STATE_KEY is still read when one is set later", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, undefined, neverFatal);
  await store.insert(accepted("R1"));
  await store.close();
  const again = openRunStore(folder, "state key", neverFatal);
  assert.equal(again.get("R1")?.session.apiKey, API_KEY);
  await again.close();
});

test("a confirmed run keeps its session and result and nothing else of the user", async (context) => {
  const store = openRunStore(await temporary(context), undefined, neverFatal);
  await store.insert(accepted("R1"));
  const confirmed = forgetful(ended(accepted("R1"), "url"), 3000);
  await store.change("R1", () => confirmed, "remove");
  const { session, end } = confirmed;
  assert.equal(session.apiKey, "");
  assert.equal(session.configJson, undefined);
  assert.deepEqual(end.answer, { export: true, response: "url", session: "session of R1" });
  assert.equal(store.context("R1"), undefined);
  await store.close();
});

test("pruning forgets old results, and no run that has not ended", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, undefined, neverFatal);
  for (const run of ["old", "young", "open"]) await store.insert(accepted(run));
  await store.change("old", () => ended(accepted("old"), "a", 100));
  await store.change("young", () => ended(accepted("young"), "b", 5000));
  await store.prune(1000);
  await store.close();
  const again = openRunStore(folder, undefined, neverFatal);
  assert.deepEqual(
    again
      .all()
      .map(({ run }) => run)
      .sort(),
    ["open", "young"],
  );
  assert.ok((await again.insert(accepted("new", "session of old"))).inserted);
  await again.close();
});

const keysOf = (folder: string) => join(dirname(folder), "keys");

test("a run's key is there until its answer is confirmed or forgotten, and no session is readable without it", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, undefined, neverFatal);
  for (const run of ["R1", "R2", "R3"]) await store.insert(accepted(run));
  assert.deepEqual((await readdir(keysOf(folder))).sort(), ["R1", "R2", "R3"]);
  await store.change("R1", () => forgetful(ended(accepted("R1"), "url"), 3000), "remove");
  await store.change("R2", () => ended(accepted("R2"), "url", 100));
  await store.prune(1000);
  assert.deepEqual(await readdir(keysOf(folder)), ["R3"]);
  await store.close();
  for (const file of await readdir(folder)) assert.ok(!(await readFile(join(folder, file))).includes(API_KEY), file);
  await unlink(join(keysOf(folder), "R3"));
  assert.throws(() => openRunStore(folder, undefined, neverFatal), Fatal);
});

test("keys that a killed process left behind are erased at the next start", async (context) => {
  const folder = await temporary(context);
  const store = openRunStore(folder, undefined, neverFatal);
  await store.insert(accepted("R1"));
  await store.insert(accepted("R2"));
  await store.change("R2", () => forgetful(ended(accepted("R2"), "url"), 3000), "remove");
  await store.close();
  for (const run of ["R2", "never stored"]) await writeFile(join(keysOf(folder), run), "a key");
  const again = openRunStore(folder, undefined, neverFatal);
  assert.deepEqual(await readdir(keysOf(folder)), ["R1"]);
  assert.equal(again.get("R2")?.session.apiKey, "");
  await again.close();
});

test("a store that is closed takes no session, and says so", async (context) => {
  const store = openRunStore(await temporary(context), undefined, neverFatal);
  const last = store.insert(accepted("R1"));
  await store.close();
  assert.ok((await last).inserted);
  await assert.rejects(store.insert(accepted("R2")), /store is closed/);
});
