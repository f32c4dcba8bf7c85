import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { CancelReply, SessionView } from "../../services/gateway/operator-api.js";
import { connectOperator } from "../../services/operator-client.js";
import { Retry } from "../../services/runtime/errors.js";
import { OutOfDate } from "../../services/runtime/gateway-calls.js";
import { sessionPayload } from "./fake-hub.js";
import { openStage, type Stage, type StageOptions, someRows, until } from "./stage.js";

async function onStage(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await openStage(options);
  try {
    await play(stage);
    assert.deepEqual(stage.fatal, []);
  } finally {
    await stage.close();
  }
}

const cancel = async (stage: Stage, id: string, by = "ada"): Promise<CancelReply> => (await connectOperator(stage.folder)).cancel(id, by);
const sessions = async (stage: Stage, all = false): Promise<readonly SessionView[]> =>
  (await (await connectOperator(stage.folder)).sessions(all)).sessions;
const stateIs = (stage: Stage, state: SessionView["state"]) =>
  eventually(`it is ${state}`, async () => (await sessions(stage))[0]?.state === state);
const erased = (stage: Stage) => until("everything is erased", () => stage.erasedBlobs.length > 0);
const errorsTold = (stage: Stage) => stage.hub.logs.filter(({ level }) => level === "ERROR").map(({ message }) => message);

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await holds()); await sleep(5)) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
  }
}

/** Cancels S1, and checks that Hub is told once, that it stays so, and that nothing is left of the run. */
async function cancelled(stage: Stage, told: RegExp): Promise<void> {
  const reply = await cancel(stage, "S1");
  assert.equal(reply.done, "cancelled");
  await erased(stage);
  assert.deepEqual(stage.hub.answers, [{ error: true, session: "S1" }]);
  assert.equal(errorsTold(stage).length, 1);
  assert.match(errorsTold(stage)[0] ?? "", told);
  assert.deepEqual(await readdir(join(stage.folder, "gateway", "exports")), []);
  assert.deepEqual(await readdir(join(stage.folder, "gateway", "keys")), []);
  const published = stage.published.length;
  await stage.restart();
  await sleep(100);
  assert.deepEqual(stage.hub.answers, []);
  assert.equal(stage.published.length, published);
  assert.deepEqual(await sessions(stage), []);
  assert.deepEqual(
    (await sessions(stage, true)).map(({ session, state, result }) => ({ session, state, result })),
    [{ session: "S1", state: "answered", result: "error" }],
  );
}

test("a session that waits its turn can be cancelled, and the one before it goes on", () =>
  onStage({ rows: someRows(3), maxSessions: 1 }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S0"));
    await stage.hub.deliver(sessionPayload("S1"));
    await eventually("it waits", async () => (await sessions(stage))[1]?.state === "waiting");
    assert.equal((await cancel(stage, "S1")).done, "cancelled");
    await until("an answer", () => stage.hub.answers[0]);
    stage.packager("p1");
    await until("another answer", () => stage.hub.answers[1]);
    assert.deepEqual(
      stage.hub.answers.map((answer) => [answer.session, "error" in answer]),
      [
        ["S1", true],
        ["S0", false],
      ],
    );
  }));

test("a session that waits for Hub before its export is read can be cancelled", () =>
  onStage({ rows: someRows(3), timing: { firstPause: 60_000, longestPause: 60_000 } }, async (stage) => {
    stage.hub.failures.project = new Retry("Hub is away");
    await stage.hub.deliver(sessionPayload("S1"));
    await stateIs(stage, "preparing");
    await cancelled(stage, /^Cancelled by ada, who runs this plugin: its export had not been read yet/);
  }));

test("a session can be cancelled in the middle of its download, and nothing of that is left", () =>
  onStage({ rows: someRows(3) }, async (stage) => {
    stage.hub.fetchExport = async (_session, _options, file, signal) => {
      await writeFile(file, "half of an export");
      await new Promise((_, reject) => signal.addEventListener("abort", () => setTimeout(() => reject(signal.reason), 50), { once: true }));
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await eventually("it downloads", async () => (await readdir(join(stage.folder, "gateway", "exports"))).length > 0);
    await cancelled(stage, /its export had not been read yet/);
  }));

test("a session that waits for a packager can be cancelled by the id of its run", () =>
  onStage({ rows: someRows(3) }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    await stateIs(stage, "unpinned");
    const [view] = await sessions(stage);
    assert.equal((await cancel(stage, view?.run ?? "")).done, "cancelled");
    await erased(stage);
    assert.match(errorsTold(stage)[0] ?? "", /0 of 3 assets were done/);
  }));

test("a session that publishes stops at once when it is cancelled, and its packager is told that it has ended", () =>
  onStage({ rows: someRows(60), credits: { window: 5, maxBytes: 2 ** 20 } }, async (stage) => {
    const packager = stage.packager("p1");
    stage.onMessage = (message) => {
      if (stage.published.length <= 10) packager.account(message);
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await eventually("it is under way", async () => (await sessions(stage))[0]?.progress?.done === 10);
    const [view] = await sessions(stage);
    assert.deepEqual([view?.state, view?.project, view?.progress], ["running", "P1", { done: 10, total: 60 }]);
    assert.ok(stage.published.length < 60);
    await cancelled(stage, /^Cancelled by ada, who runs this plugin: 10 of 60 assets were done, and no archive was made\./);
    await until("the packager is told", () => packager.ended.includes(view?.run ?? ""));
  }));

test("what is left of a cancelled session is erased when nothing of it is being published any more", () =>
  onStage({ rows: someRows(60) }, async (stage) => {
    stage.packager("p1");
    let publishing = 0;
    stage.onMessage = async () => {
      publishing += 1;
      await sleep(100);
      publishing -= 1;
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await until("it publishes", () => publishing > 0);
    await cancel(stage, "S1");
    await until("Hub is told", () => stage.hub.answers[0]);
    await erased(stage);
    assert.equal(publishing, 0);
  }));

test("a session that uploads can be cancelled: its packager's report comes too late, and changes nothing", () =>
  onStage({ rows: someRows(4) }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    const held = await until("all are accounted for", () => [...packager.runs.values()].find(({ final }) => final.size === 4));
    const run = stage.published[0]?.key ?? "";
    held.phase = 3;
    await stateIs(stage, "uploading");
    const { target } = await packager.gateway.getUploadTarget({ run, epoch: 1 });
    assert.equal((await cancel(stage, run)).done, "cancelled");
    await packager.gateway.report({
      run,
      epoch: 1,
      result: { $case: "uploaded", value: { target, bytes: 1, counts: packager.counts } },
    });
    await assert.rejects(packager.gateway.getUploadTarget({ run, epoch: 1 }), OutOfDate);
    await erased(stage);
    assert.deepEqual(stage.hub.answers, [{ error: true, session: "S1" }]);
  }));

test("cancelling what has ended changes nothing, and says how it ended", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1");
    await stage.hub.deliver(sessionPayload("S1"));
    await erased(stage);
    const reply = await cancel(stage, "S1");
    assert.ok(reply.done === "ended before");
    assert.deepEqual([reply.session.state, reply.session.result], ["answered", "archive"]);
    await stage.restart();
    await stage.hub.deliver(sessionPayload("S1"));
    const again = await until("the stored answer", () => stage.hub.answers[0]);
    assert.ok("export" in again);
  }));

test("of two that cancel at once one does, and a session that comes again afterwards gets the same answer", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    const replies = await Promise.all([cancel(stage, "S1", "ada"), cancel(stage, "S1", "grace")]);
    assert.deepEqual(replies.map(({ done }) => done).sort(), ["cancelled", "ended before"]);
    await erased(stage);
    assert.equal(errorsTold(stage).length, 1);
    await stage.hub.deliver(sessionPayload("S1"));
    const second = await until("a second answer", () => stage.hub.answers[1]);
    assert.deepEqual(second, stage.hub.answers[0]);
  }));

test("a cancelled session whose answer Hub does not take stays cancelled over a restart, and is answered then", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.hub.failures.answer = new Retry("Hub is away");
    await stage.hub.deliver(sessionPayload("S1"));
    await cancel(stage, "S1");
    await stateIs(stage, "answering");
    await stage.restart();
    stage.packager("p1");
    await erased(stage);
    assert.deepEqual(stage.hub.answers, [{ error: true, session: "S1" }]);
    assert.deepEqual(stage.published, []);
  }));

test("an unknown id cancels nothing", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    assert.deepEqual(await cancel(stage, "S2"), { done: "unknown", gateway: "G" });
    assert.equal((await sessions(stage)).length, 1);
  }));

test("what an operator is called can not fill the user's console or hide in it", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    await cancel(stage, "S1", `ada\n\u001b[31mERROR${"x".repeat(1000)}`);
    await erased(stage);
    assert.match(errorsTold(stage)[0] ?? "", /^Cancelled by ada \[31mERRORx{67}, who runs this plugin/);
  }));

test("the operator's door is open to the gateway's owner alone, and is gone after the end", async () => {
  const stage = await openStage({ rows: someRows(1) });
  const file = join(stage.folder, "gateway", "operator.json");
  try {
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const { address } = JSON.parse(await readFile(file, "utf8"));
    assert.match(address, /^http:\/\/127\.0\.0\.1:\d+$/);
    for (const headers of [undefined, { authorization: "Bearer x" }, { authorization: "" }]) {
      const reply = await fetch(`${address}/cancel`, { method: "POST", body: '{"id":"S1","by":"x"}', ...(headers ? { headers } : {}) });
      assert.equal(reply.status, 401);
      await reply.body?.cancel();
    }
    const { token } = JSON.parse(await readFile(file, "utf8"));
    const headers = { authorization: `Bearer ${token}` };
    for (const [path, body, status] of [
      ["/cancel", "no JSON", 400],
      ["/cancel", '{"id": 7}', 400],
      ["/cancel", `{"id":"S1","by":"${"x".repeat(20_000)}"}`, 400],
      ["/elsewhere", "{}", 404],
    ] as const) {
      const reply = await fetch(`${address}${path}`, { method: "POST", headers, body });
      assert.equal(reply.status, status, `${path} ${body.slice(0, 20)}`);
      await reply.body?.cancel();
    }
  } finally {
    await stage.close();
  }
  await assert.rejects(readFile(file), { code: "ENOENT" });
});
