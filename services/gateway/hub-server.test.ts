import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { eventuallyHolds } from "../../test/support/eventually-holds.js";
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

beforeEach(() => listen("accepted"));

async function listen(postAnswer: "accepted" | "result"): Promise<void> {
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
  connector = createHubServer({
    listenHost: "127.0.0.1",
    port: 0,
    pluginSecret: SECRET,
    postAnswer,
    reporter,
    log,
    onListening,
  });
  takeSession = async () => {};
  await connector.start(async (payload) => {
    await takeSession();
    accepted.push(payload);
  });
}

afterEach(() => connector.stop());

async function ask(method: string, path: string, { secret = SECRET, body = "", type = "application/json" } = {}) {
  const headers = { secret, ...(body ? { "content-type": type } : {}) };
  const response = await fetch(`${origin}${path}`, { method, headers, ...(body ? { body } : {}) });
  return { status: response.status, body: await response.json() };
}

test("a port that is taken stops the start, and the error says which key to set", async () => {
  const port = Number(new URL(origin).port);
  const reporter = createHttpReporter({ pluginLog: async () => {}, pluginResponse: async () => {} }, log);
  const second = createHubServer({ listenHost: "127.0.0.1", port, pluginSecret: SECRET, postAnswer: "accepted", reporter, log });
  await assert.rejects(
    second.start(async () => {}),
    new RegExp(`127\\.0\\.0\\.1:${port}; set PORT`),
  );
  await second.stop();
});

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
  assert.equal((await fetch(`${origin}/heartbeat`, { method: "POST" })).headers.get("allow"), "GET");
  assert.equal((await ask("POST", "/plugin", { body: `"${"x".repeat(2 ** 20)}"` })).status, 413);
  assert.equal((await ask("POST", "/plugin", { body: "x".repeat(2 ** 24) })).status, 413);
  assert.deepEqual(accepted, []);
});

test("a body without a length is read up to the limit only, and its refusal arrives", async () => {
  const answer = await rawRequest(
    `POST /plugin HTTP/1.1\r\nhost: x\r\nsecret: ${SECRET}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n` +
      `100001\r\n${"x".repeat(0x100001)}\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 413 /);
});

test("a wrong secret is refused before anything of the body has come, and the connection ends", async () => {
  const head = "POST /plugin HTTP/1.1\r\nhost: x\r\nsecret: no\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
  assert.match(await rawRequest(head), /^HTTP\/1\.1 401 .*"Unauthorized"/s);
});

test("what is no session is refused, for nobody could be told how it ended", async () => {
  for (const body of ["[]", "null", "5", "{}", '{"session":""}', '{"session":7}']) {
    assert.equal((await ask("POST", "/plugin", { body })).status, 422, body);
  }
  assert.deepEqual(accepted, []);
});

test("a session that can not be stored is answered 500 without the reason", async () => {
  takeSession = () => Promise.reject(new Error("disk full"));
  assert.deepEqual(await ask("POST", "/plugin", { body: '{"session":"s-1"}' }), {
    status: 500,
    body: { detail: "Internal Server Error" },
  });
});

test("if the answer is to wait for the result, every POST of the session is held until Hub has it", async () => {
  await connector.stop();
  await listen("result");
  const answered: number[] = [];
  const posts = [1, 2].map((n) => ask("POST", "/plugin", { body: '{"session":"s-1"}' }).then(({ status }) => answered.push(n, status)));
  await eventuallyHolds(() => assert.equal(accepted.length, 2));
  await connector.answer({ ...session, session: "another" }, { error: true, session: "another" }, never);
  assert.deepEqual(answered, []);
  await connector.answer(session, { error: true, session: "s-1" }, never);
  await Promise.all(posts);
  assert.deepEqual(
    answered.filter((status) => status > 2),
    [200, 200],
  );
});

test("a held POST is answered too when Hub refuses the result, and when the server stops", async () => {
  await connector.stop();
  await listen("result");
  takeAnswer = () => Promise.reject(new HubFailure("refused"));
  const refused = ask("POST", "/plugin", { body: '{"session":"s-1"}' });
  await eventuallyHolds(() => assert.equal(accepted.length, 1));
  await assert.rejects(connector.answer(session, { error: true, session: "s-1" }, never), HubFailure);
  assert.deepEqual(await refused, { status: 200, body: null });
  const open = ask("POST", "/plugin", { body: '{"session":"s-2"}' });
  await eventuallyHolds(() => assert.equal(accepted.length, 2));
  await connector.stop();
  assert.deepEqual(await open, { status: 200, body: null });
});

/** Sends bytes and gives what came back until the other side has closed. */
async function rawRequest(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.write(bytes);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

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

test("an error that Hub did not take is sent again before each try of the answer that it explains, other lines are not", async () => {
  let refuses = true;
  takeLog = async () => {
    if (refuses) throw new HubFailure("the key is refused");
  };
  takeAnswer = () => takeLog(logRecord(session, "plugin-1", "INFO", ""));
  connector.log(session, logRecord(session, "plugin-1", "INFO", "progress"));
  connector.log(session, logRecord(session, "plugin-1", "ERROR", "why"));
  await assert.rejects(connector.answer(session, { error: true, session: "s-1" }, never), HubFailure);
  refuses = false;
  await connector.answer({ ...session, apiKey: "renewed" }, { error: true, session: "s-1" }, never);
  assert.deepEqual(
    sent.map((entry) => ("msg" in entry ? entry.msg : entry)),
    ["why", { error: true, session: "s-1" }],
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
