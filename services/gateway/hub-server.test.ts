import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Retry } from "../runtime/errors.js";
import { createLogger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import { createHttpReporter } from "./http-reporter.js";
import { type Answer, HubFailure, type Session } from "./hub.js";
import { createHubServer } from "./hub-server.js";
import { type LogRecord, logRecord } from "./log-record.js";

const never = new AbortController().signal;
const SECRET = "plugin-secret-0123";
const session: Session = {
  session: "s-1",
  projectId: "p",
  apiKey: "key-0123",
  orgId: "org",
  runBy: "user",
  configJson: undefined,
  stage: undefined,
  batches: [],
};
const log = createLogger("silent");

let origin = "";
let connector: Connector;
let accepted: unknown[] = [];
let takeSession: () => Promise<void> = async () => {};
let sent: (LogRecord | Answer)[] = [];
let takeLog: (record: LogRecord) => Promise<void> = async () => {};
let takeAnswer: (signal: AbortSignal) => Promise<void> = async () => {};

beforeEach(async () => {
  accepted = [];
  sent = [];
  takeLog = async () => {};
  takeAnswer = async () => {};
  const reporter = createHttpReporter(
    {
      async pluginLog(_session, record) {
        await takeLog(record);
        sent.push(record);
      },
      async pluginResponse(_session, answer, signal) {
        await takeAnswer(signal);
        sent.push(answer);
      },
    },
    log,
  );
  const onListening = (port: number) => {
    origin = `http://127.0.0.1:${port}`;
  };
  connector = createHubServer({ listenHost: "127.0.0.1", port: 0, pluginSecret: SECRET, reporter, log, onListening });
  takeSession = async () => {};
  await connector.start(async (payload) => {
    await takeSession();
    accepted.push(payload);
  });
});

afterEach(() => connector.stop());

async function ask(method: string, path: string, { secret = SECRET, body = "", type = "application/json" } = {}) {
  const headers = { secret, ...(body ? { "content-type": type } : {}) };
  const response = await fetch(`${origin}${path}`, { method, headers, ...(body ? { body } : {}) });
  return { status: response.status, body: await response.json() };
}

test("a heartbeat is answered ok to who knows the secret", async () => {
  assert.deepEqual(await ask("GET", "/heartbeat"), { status: 200, body: "ok" });
  assert.deepEqual(await ask("GET", "/heartbeat", { secret: "wrong" }), { status: 401, body: { detail: "Unauthorized" } });
  assert.equal((await fetch(`${origin}/heartbeat`)).status, 401);
});

test("a session is accepted, then answered 200 null", async () => {
  assert.deepEqual(await ask("POST", "/plugin", { body: '{"session":"s-1"}' }), { status: 200, body: null });
  assert.deepEqual(accepted, [{ session: "s-1" }]);
});

test("a wrong secret is told before the body is looked at", async () => {
  assert.equal((await ask("POST", "/plugin", { secret: "no", body: "not json" })).status, 401);
  assert.equal((await ask("POST", "/plugin", { body: "not json" })).status, 422);
  assert.equal((await ask("POST", "/plugin", { body: "{}", type: "text/plain" })).status, 422);
  assert.deepEqual(accepted, []);
});

test("other paths, other methods and endless bodies are refused", async () => {
  assert.equal((await ask("GET", "/docs")).status, 404);
  assert.equal((await ask("GET", "/plugin")).status, 405);
  assert.equal((await ask("POST", "/plugin", { body: `"${"x".repeat(2 ** 20)}"` })).status, 413);
  assert.deepEqual(accepted, []);
});

test("the lines of a session go out in order, one at a time, then its answer; a line that fails does not stop them", async () => {
  takeLog = async ({ msg }) => {
    if (msg === "two") throw new HubFailure("refused");
  };
  for (const msg of ["one", "two", "three"]) connector.log(session, logRecord(session, "plugin-1", "INFO", msg));
  await connector.answer(session, { error: true, session: "s-1" }, never);
  assert.deepEqual(
    sent.map((entry) => ("msg" in entry ? entry.msg : entry)),
    ["one", "three", { error: true, session: "s-1" }],
  );
});

test("stopping ends a waiting answer with Retry", async () => {
  takeAnswer = (signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const waiting = assert.rejects(connector.answer(session, { error: true, session: "s-1" }, never), Retry);
  await connector.stop();
  await waiting;
  assert.equal(connector.connected(), false);
});

test("a session that is being accepted when the server stops is still answered", async () => {
  let storing = () => {};
  const begun = new Promise<void>((begin) => {
    takeSession = () => {
      begin();
      return new Promise((resolve) => {
        storing = resolve;
      });
    };
  });
  const asked = ask("POST", "/plugin", { body: '{"session":"s-1"}' });
  await begun;
  const stopping = connector.stop();
  storing();
  assert.deepEqual(await asked, { status: 200, body: null });
  await stopping;
});
