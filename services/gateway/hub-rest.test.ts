import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { type LocalHttp, type SeenRequest, sendJson, startLocalHttp } from "../../test/support/local-http.js";
import { Retry } from "../runtime/errors.js";
import { createLogger } from "../runtime/log.js";
import { HubFailure, type Session } from "./hub.js";
import { createHubRest, exportQuery } from "./hub-rest.js";
import { logRecord } from "./log-record.js";

const never = new AbortController().signal;
const KEY = "runner-key-0123456789";
const SECRET = "plugin-secret-0123456789";
const session: Session = {
  session: "s-1",
  projectId: "5f0f5f0f",
  apiKey: KEY,
  orgId: "org",
  runBy: "user",
  configJson: undefined,
  stage: ["Complete", "Second look é"],
  batches: ["b1", "b 2"],
};

type Handler = (request: SeenRequest, response: ServerResponse) => void;

let folder = "";
let hub: LocalHttp;
/** Handlers of coming requests; the last one stays. */
let handlers: Handler[] = [];
let lines: string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-rest-"));
  hub = await startLocalHttp((request, response) => {
    const handler = handlers.length > 1 ? handlers.shift() : handlers[0];
    handler?.(request, response);
  });
});

beforeEach(() => {
  hub.seen.length = 0;
  lines = [];
});

after(async () => {
  await hub.close();
  await rm(folder, { recursive: true });
});

function rest(timeoutMs = 3000) {
  return createHubRest({
    apiHost: hub.origin,
    callTimeoutMs: timeoutMs,
    exportTimeoutMs: timeoutMs,
    idleTimeoutMs: timeoutMs,
    retries: { attempts: 3, firstDelayMs: 1, maxDelayMs: 2 },
    secrets: [SECRET],
    log: createLogger("debug", (line) => void lines.push(line)),
  });
}

const answers =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_request, response) =>
    sendJson(response, status, body, headers);
const success = (data: unknown, status = 200) => answers(status, { status: "success", data });
const breaksOff: Handler = (_request, response) => void response.destroy();

async function failure(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.then(
    () => assert.fail("it did not fail"),
    (reason) => reason,
  );
  assert.ok(error instanceof HubFailure || error instanceof Retry, String(error));
  for (const text of [error.message, ...lines]) {
    assert.ok(!text.includes(KEY), `no key in: ${text}`);
    assert.ok(!text.includes("?") || text.includes("?[redacted]"), `no query in: ${text}`);
  }
  return error;
}

test("the export's query has Hub's parameters in Hub's order, spaces as +", () => {
  const common =
    "sendEmail=false&includeMetadata=true&includeHistory=true&doNotNotify=true&format=ndjson&type=task&includeOnlyKeyFrames=false&includeIdleBlurDurations=false";
  assert.equal(
    String(exportQuery(session, false)),
    `${common}&batches=%5B%22b1%22%2C+%22b+2%22%5D&taskTypes=%5B%22default%22%5D&stage=%5B%22Complete%22%2C+%22Second+look+%5Cu00e9%22%5D&project=5f0f5f0f`,
  );
  assert.equal(
    String(exportQuery({ ...session, stage: undefined, batches: [] }, true)),
    `${common.replace("KeyFrames=false", "KeyFrames=true")}&taskTypes=%5B%22default%22%5D&project=5f0f5f0f`,
  );
});

test("an export is one keyed call, then a download without the key", async () => {
  handlers = [success({ exportPath: `${hub.origin}/bucket/e.zip?sig=1` }), (_request, response) => void response.end("the archive")];
  const file = join(folder, "export");
  await rest().fetchExport(session, { keyFramesOnly: false, maxBytes: 100 }, file, never);
  assert.equal(await readFile(file, "utf8"), "the archive");
  const [call, download] = hub.seen;
  assert.equal(call?.url, `/v2/export?${exportQuery(session, false)}`);
  assert.equal(call?.headers.apikey, KEY);
  assert.equal(download?.url, "/bucket/e.zip?sig=1");
  assert.equal(download?.headers.apikey, undefined);
});

test("an expired download link is replaced by a fresh one, once", async () => {
  const link = success({ exportPath: `${hub.origin}/bucket/e.zip?sig=1` });
  const expired = answers(403, {});
  handlers = [link, expired, link, (_request, response) => void response.end("ok")];
  await rest().fetchExport(session, { keyFramesOnly: false, maxBytes: 100 }, join(folder, "export"), never);
  handlers = [link, expired, link, expired];
  const error = await failure(rest().fetchExport(session, { keyFramesOnly: false, maxBytes: 100 }, join(folder, "none"), never));
  assert.match(error.message, /^Downloading the export failed: GET http:.*\/bucket\/e\.zip: HTTP 403/);
  assert.ok(!(await readdir(folder)).includes("none"));
});

test("an export over the limit is refused in a user's words", async () => {
  handlers = [success({ exportPath: `${hub.origin}/e.zip?sig=1` }), (_request, response) => void response.end("x".repeat(101))];
  const error = await failure(rest().fetchExport(session, { keyFramesOnly: false, maxBytes: 100 }, join(folder, "none"), never));
  assert.ok(error instanceof HubFailure);
  assert.match(error.message, /larger than 100 bytes/);
});

test("the upload URL is asked for first, then signed by its whole text", async () => {
  const uploadUrl = "http://bucket.test/p/masks.zip?X-Amz-Credential=A%2F2026&X-Amz-Signature=abc";
  handlers = [success({ uploadUrl }, 201), success({ signedUrl: "http://bucket.test/p/masks.zip?get=1" }, 201)];
  const target = await rest().uploadTarget(session, "masks-p-s.zip", never);
  assert.deepEqual(target, { uploadUrl, signedUrl: "http://bucket.test/p/masks.zip?get=1" });
  const [first, second] = hub.seen.map(({ url }) => new URL(url, hub.origin));
  assert.equal(`${first?.pathname}${first?.search}`, "/v2/getUploadUrl?name=masks-p-s.zip&project=5f0f5f0f&type=exports");
  assert.equal(second?.pathname, "/v2/getSignedUrl");
  assert.deepEqual(
    [...(second?.searchParams ?? [])],
    [
      ["name", uploadUrl],
      ["project", "5f0f5f0f"],
      ["type", "exports"],
    ],
  );
});

test("the project, logs and the result are sent as Hub's client does", async () => {
  handlers = [success({ project: { name: "P" } })];
  assert.deepEqual(await rest().project(session, never), { project: { name: "P" } });
  await rest().pluginLog(session, logRecord(session, "plugin", "INFO", "hi"), never);
  await rest().pluginResponse(session, { error: true, session: "s-1" }, never);
  assert.deepEqual(
    hub.seen.map(({ method, url }) => `${method} ${url}`),
    ["GET /v2/project/5f0f5f0f", "POST /v2/pluginLog", "POST /v2/pluginResponse"],
  );
  assert.equal(hub.seen[0]?.headers["content-type"], "application/json");
  assert.equal(hub.seen[2]?.body.toString(), '{"error":true,"session":"s-1"}');
  assert.ok(hub.seen.every(({ headers }) => headers.apikey === KEY));
});

test("troubles of Hub are tried again: 5xx, 429 with its Retry-After, a cut", async () => {
  handlers = [answers(503, {}), breaksOff, success({ project: {} })];
  await rest().project(session, never);
  assert.equal(hub.seen.length, 3);
  handlers = [answers(429, {}, { "retry-after": "1" }), success({ project: {} })];
  const startedAt = Date.now();
  await rest().project(session, never);
  assert.ok(Date.now() - startedAt >= 990, "Retry-After is waited for");
});

test("a result is sent until Hub takes it", async () => {
  handlers = [...Array.from({ length: 7 }, () => answers(500, {})), success({})];
  await rest().pluginResponse(session, { error: true, session: "s-1" }, never);
  assert.equal(hub.seen.length, 8);
});

test("a refusal is told with step, status, Hub's words and what to do, and not tried again", async () => {
  handlers = [answers(401, { status: "fail", message: `Invalid API KEY ${KEY} of ${SECRET} at https://hub/x?key=1` })];
  const refused = await failure(rest().project(session, never));
  assert.match(
    refused.message,
    /^Reading the project failed: Hub answered HTTP 401, "Invalid API KEY \[redacted\] of \[redacted\] at https:\/\/hub\/x\?\[redacted\]"\. The API key of the user who pressed Run was refused/,
  );
  assert.equal(hub.seen.length, 1);
  handlers = [answers(400, { status: "fail", message: `Invalid project: ${"x".repeat(5000)}` })];
  const unknown = await failure(rest().fetchExport(session, { keyFramesOnly: false, maxBytes: 1 }, join(folder, "none"), never));
  assert.match(unknown.message, /^Exporting the project failed: Hub answered HTTP 400, "Invalid project: x/);
  assert.ok(unknown.message.length < 500);
  handlers = [answers(200, { status: "error", message: "no such stage" })];
  assert.match((await failure(rest().project(session, never))).message, /"no such stage"/);
});

test("an answer without what was asked for is a failure, also when it is HTML", async () => {
  handlers = [(_request, response) => void response.end("<html>")];
  const error = await failure(rest().uploadTarget(session, "a.zip", never));
  assert.match(error.message, /no usable uploadUrl.*API_HOST/);
  handlers = [success({ uploadUrl: "file:///etc/passwd" })];
  assert.match((await failure(rest().uploadTarget(session, "a.zip", never))).message, /no usable uploadUrl/);
});

const away: readonly (readonly [what: string, handler: Handler])[] = [
  ["breaks connections off", breaksOff],
  ["answers 500", answers(500, { status: "fail", message: "oops" })],
  ["answers 503", answers(503, {})],
  ["answers 429", answers(429, {})],
  ["does not answer in time", () => {}],
];
for (const [what, handler] of away) {
  test(`a Hub that ${what} for longer than the tries is Retry, whatever is asked of it`, async () => {
    const calls = rest(50);
    handlers = [handler];
    assert.ok((await failure(calls.project(session, never))) instanceof Retry);
    assert.ok((await failure(calls.uploadTarget(session, "a.zip", never))) instanceof Retry);
    handlers = [success({ uploadUrl: "http://bucket.test/a" }), handler];
    assert.ok((await failure(calls.uploadTarget(session, "a.zip", never))) instanceof Retry);
    handlers = [success({ exportPath: `${hub.origin}/bucket/e.zip?sig=1` }), handler];
    assert.ok(
      (await failure(calls.fetchExport(session, { keyFramesOnly: false, maxBytes: 9 }, join(folder, "none"), never))) instanceof Retry,
    );
  });
}

test("a troubled Hub that is asked for an export is Retry too; but an export that took too long is not begun anew", async () => {
  const fetchExport = () => rest(50).fetchExport(session, { keyFramesOnly: false, maxBytes: 1 }, join(folder, "none"), never);
  handlers = [answers(502, {})];
  assert.ok((await failure(fetchExport())) instanceof Retry);
  handlers = [() => {}];
  hub.seen.length = 0;
  const late = await failure(fetchExport());
  assert.ok(late instanceof HubFailure);
  assert.match(late.message, /no answer within 0\.05 s/);
  assert.equal(hub.seen.length, 1);
});

test("an abort ends a call and its retries with the signal's reason", async () => {
  handlers = [() => {}];
  const controller = new AbortController();
  const running = rest().project(session, controller.signal);
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await assert.rejects(running, /^Error: enough$/);
});

test("a redirect to another origin does not get the key", async () => {
  const elsewhere = await startLocalHttp((_request, response) => sendJson(response, 200, { data: {} }));
  handlers = [(_request, response) => void response.writeHead(302, { location: `${elsewhere.origin}/v2/project` }).end()];
  try {
    assert.match((await failure(rest().project(session, never))).message, /redirect to another origin/);
    assert.equal(elsewhere.seen.length, 0);
  } finally {
    await elsewhere.close();
  }
});
