import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventuallyHolds } from "../../test/support/eventually-holds.js";
import { createLogger } from "../runtime/log.js";
import { acceptSession } from "./accept-session.js";
import { createAnswers, failure } from "./answer.js";
import { HubFailure, type Session } from "./hub.js";
import { Outbox } from "./outbox.js";
import { openRunStore } from "./run-store.js";

const payload = (session: string, apiKey: string) => ({ session, projectId: "P", apiKey, orgId: "O", runBy: "U" });

/** Answers over a real store, to a Hub that is `answer`. */
async function stage(context: TestContext, answer: (session: Session, signal: AbortSignal) => Promise<void>, firstPause = 60_000) {
  const folder = await mkdtemp(join(tmpdir(), "maskline-answer-"));
  const lines: string[] = [];
  const erased: string[] = [];
  const log = createLogger("debug", (line) => lines.push(line));
  const store = openRunStore(join(folder, "runs"), undefined, assert.fail);
  const answers = createAnswers({
    store,
    hub: { answer: (session, _answer, signal) => answer(session, signal), log: () => undefined },
    erase: async (run) => void erased.push(run),
    onEnded: () => undefined,
    onFatal: assert.fail,
    log,
    timing: { firstPause, longestPause: firstPause, wallClock: () => 1000 },
  });
  context.after(async () => {
    await answers.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const accept = (session: string, apiKey = "key-1") =>
    acceptSession(payload(session, apiKey), { plugin: "plugin", store, answers, begin: () => undefined, wallClock: () => 1, log });
  const end = (run: string) => answers.end(run, ({ session }) => failure(session, "no"));
  const begin = async (session: string) => {
    await accept(session);
    const run = store.all().find((record) => record.session.session === session)?.run ?? assert.fail();
    await end(run);
    return run;
  };
  return { store, answers, accept, begin, lines, erased };
}

const refuseOld = (tried: string[]) => async (session: Session) => {
  tried.push(session.apiKey);
  if (session.apiKey === "key-1") throw new HubFailure("HTTP 401");
};

test("a session delivered again with a renewed key has its answer sent with that key, at once", async (context) => {
  const tried: string[] = [];
  const { store, begin, accept } = await stage(context, refuseOld(tried));
  const run = await begin("S1");
  await eventuallyHolds(() => assert.deepEqual(tried, ["key-1"]));
  await accept("S1", "key-2");
  await eventuallyHolds(() => assert.deepEqual(tried, ["key-1", "key-2"]));
  await eventuallyHolds(() => assert.equal(store.get(run)?.session.apiKey, ""));
});

test("a renewed key is stored, so that it also serves after a restart; an unreadable delivery takes none away", async (context) => {
  const { store, begin, accept } = await stage(context, () => Promise.reject(new HubFailure("HTTP 401")));
  const run = await begin("S1");
  await accept("S1", "key-2");
  await accept("S1", "a key with blanks");
  assert.equal(store.get(run)?.session.apiKey, "key-2");
});

test("a key that comes while the old one is being tried is used next, without a pause", async (context) => {
  const tried: string[] = [];
  let refuse = () => {};
  const { begin, accept } = await stage(context, async (session) => {
    tried.push(session.apiKey);
    if (session.apiKey === "key-2") return;
    await new Promise<void>((_, reject) => {
      refuse = () => reject(new HubFailure("HTTP 401"));
    });
  });
  await begin("S1");
  await accept("S1", "key-2");
  refuse();
  await eventuallyHolds(() => assert.deepEqual(tried, ["key-1", "key-2"]));
});

test("an answer that Hub never took is not said to be there when it is forgotten, and what is left of its run is erased", async (context) => {
  const { store, begin, lines, erased } = await stage(context, () => Promise.reject(new HubFailure("HTTP 401")), 5);
  const run = await begin("S1");
  await store.prune(2000);
  await eventuallyHolds(() => assert.deepEqual(erased, [run]));
  assert.doesNotMatch(lines.join(), /Hub has the session's answer/);
  assert.match(lines.join(), /Hub never took/);
});

test("nothing of a run is erased before Hub has its answer", async (context) => {
  let confirm = () => {};
  const confirmed = new Promise<void>((resolve) => {
    confirm = resolve;
  });
  const { store, begin, erased } = await stage(context, () => confirmed);
  const run = await begin("S1");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(erased, []);
  assert.equal(store.get(run)?.session.apiKey, "key-1");
  confirm();
  await eventuallyHolds(() => assert.deepEqual(erased, [run]));
  assert.equal(store.get(run)?.session.apiKey, "");
});

test("any number of answers may wait for Hub without a warning of the runtime", async (context) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on("warning", onWarning);
  context.after(() => process.off("warning", onWarning));
  const outbox = new Outbox();
  const { begin } = await stage(context, (session, signal) => outbox.answer({ error: true, session: session.session }, signal));
  for (let k = 0; k < 12; k += 1) await begin(`S${k}`);
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
});

test("a reason of any length is told in a readable one", () => {
  const session = { session: "S", projectId: "P", apiKey: "k", orgId: "", runBy: "", configJson: undefined, stage: undefined, batches: [] };
  const [line] = failure(session, "x".repeat(100_000)).lines;
  assert.ok((line?.message.length ?? 0) < 10_000);
});
