import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type LocalHttp, sendJson, startLocalHttp } from "../../test/support/local-http.js";
import { downloadToFile, putFile, requestJson } from "./http.js";
import { HttpFailure } from "./http-failure.js";

const never = new AbortController().signal;
const SECRET = "s3cr3t-value";
let folder = "";
let http: LocalHttp;
let elsewhere: LocalHttp;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-http-"));
  elsewhere = await startLocalHttp((_request, response) => sendJson(response, 200, { where: "elsewhere" }));
  http = await startLocalHttp((request, response) => {
    const path = request.url.split("?")[0];
    const redirect = (status: number, location: string) => void response.writeHead(status, { location }).end();
    if (path === "/json") return sendJson(response, 200, { hello: "wörld" });
    if (path === "/html") return void response.writeHead(502).end("<html>");
    if (path === "/busy") return sendJson(response, 429, {}, { "retry-after": "7" });
    if (path === "/silent") return;
    if (path === "/away") return redirect(307, `${elsewhere.origin}/json?${SECRET}`);
    if (path === "/near") return redirect(307, "/json");
    if (path === "/loop") return redirect(307, "/loop");
    if (path === "/file") return void response.writeHead(200, { "content-length": "300000" }).end(Buffer.alloc(300_000, 7));
    if (path === "/unsized") {
      for (let k = 0; k < 10; k += 1) response.write(Buffer.alloc(30_000, k));
      return void response.end();
    }
    if (path === "/cut") {
      response.writeHead(200, { "content-length": "300000" });
      response.write(Buffer.alloc(1000));
      return void setTimeout(() => response.destroy(), 20);
    }
    if (path === "/stall") {
      response.writeHead(200, { "content-length": "300000" });
      return void response.write(Buffer.alloc(1000));
    }
    if (path === "/expired") {
      return void response.writeHead(403).end("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
    }
    return void response.writeHead(200).end();
  });
});

after(async () => {
  await http.close();
  await elsewhere.close();
  await rm(folder, { recursive: true });
});

function get(path: string, timeoutMs = 5000) {
  const headers = { apikey: SECRET };
  return requestJson({ method: "GET", url: `${http.origin}${path}`, headers, timeoutMs, maxBodyBytes: 1000 }, never);
}

async function failure(work: Promise<unknown>): Promise<HttpFailure> {
  const error: unknown = await work.then(
    () => assert.fail("it did not fail"),
    (reason) => reason,
  );
  assert.ok(error instanceof HttpFailure, String(error));
  assert.ok(!error.message.includes(SECRET), "no secret in the message");
  assert.ok(!error.message.includes("?"), "no query in the message");
  return error;
}

test("a JSON call gives status and parsed body, and the text where it is no JSON", async () => {
  assert.deepEqual(await get("/json"), { status: 200, body: { hello: "wörld" }, retryAfterMs: undefined });
  assert.deepEqual(await get("/html"), { status: 502, body: "<html>", retryAfterMs: undefined });
  assert.equal((await get("/busy")).retryAfterMs, 7000);
});

test("a POST carries its body as JSON", async () => {
  await requestJson(
    { method: "POST", url: `${http.origin}/json`, headers: {}, body: { a: 1 }, timeoutMs: 5000, maxBodyBytes: 1000 },
    never,
  );
  const seen = http.seen.at(-1);
  assert.equal(seen?.body.toString(), '{"a":1}');
  assert.equal(seen?.headers["content-type"], "application/json");
});

test("a redirect within the origin is followed; one elsewhere is not, and the key stays here", async () => {
  assert.equal((await get("/near")).status, 200);
  const error = await failure(get(`/away?key=${SECRET}`));
  assert.equal(error.kind, "status");
  assert.match(error.message, /redirect to another origin/);
  assert.equal(elsewhere.seen.length, 0);
  assert.match((await failure(get("/loop"))).message, /more than 5 redirects/);
});

test("a call that is not answered in time, too long, or refused fails with its kind", async () => {
  assert.equal((await failure(get("/silent?x", 80))).kind, "timeout");
  assert.equal((await failure(get("/file"))).kind, "too large");
  const closed = createServer().listen(0, "127.0.0.1");
  const address = await new Promise((resolve) => closed.once("listening", () => resolve(closed.address())));
  await new Promise((resolve) => closed.close(resolve));
  const { port } = address as { port: number };
  const url = `http://127.0.0.1:${port}/x?${SECRET}`;
  const error = await failure(requestJson({ method: "GET", url, headers: {}, timeoutMs: 2000, maxBodyBytes: 10 }, never));
  assert.equal(error.kind, "network");
  assert.match(error.message, /ECONNREFUSED/);
});

test("an abort rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const request = { method: "GET", url: `${http.origin}/silent`, headers: {}, timeoutMs: 5000, maxBodyBytes: 10 } as const;
  const running = requestJson(request, controller.signal);
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await assert.rejects(running, /^Error: enough$/);
});

function download(path: string, { maxBytes = 1_000_000, timeoutMs = 5000 } = {}) {
  return downloadToFile(`${http.origin}${path}?sig=${SECRET}`, join(folder, "download"), { maxBytes, timeoutMs, signal: never });
}

test("a download asks for identity and nothing else, and writes every byte", async () => {
  assert.equal(await download("/file"), 300_000);
  assert.deepEqual(await readFile(join(folder, "download")), Buffer.alloc(300_000, 7));
  const { rawHeaders } = http.seen.at(-1) ?? assert.fail();
  const names = rawHeaders.filter((_value, k) => k % 2 === 0).map((name) => name.toLowerCase());
  assert.deepEqual(names.sort(), ["accept-encoding", "connection", "host"]);
  assert.equal(await download("/unsized"), 300_000);
  await rm(join(folder, "download"));
});

test("a download that is cut, stalls, is too large or is refused fails with its kind and leaves no file", async () => {
  assert.equal((await failure(download("/cut"))).kind, "network");
  assert.equal((await failure(download("/stall", { timeoutMs: 80 }))).kind, "timeout");
  assert.equal((await failure(download("/file", { maxBytes: 1000 }))).kind, "too large");
  assert.equal((await failure(download("/unsized", { maxBytes: 1000 }))).kind, "too large");
  const refused = await failure(download("/expired"));
  assert.equal(refused.status, 403);
  assert.match(refused.message, /AccessDenied: Request has expired/);
  assert.deepEqual(await readdir(folder), []);
});

test("a download into a folder that is not there is an error of the file, not of the network", async () => {
  const running = downloadToFile(`${http.origin}/file`, join(folder, "none", "x"), { maxBytes: 1, timeoutMs: 1000, signal: never });
  await assert.rejects(running, { code: "ENOENT" });
});

test("an upload is a PUT with Content-Length and no header of ours besides", async () => {
  const file = join(folder, "upload");
  for (const size of [0, 10, 3_000_000]) {
    await writeFile(file, Buffer.alloc(size, 5));
    const result = await putFile(`${http.origin}/put?sig=${SECRET}`, file, { timeoutMs: 5000, signal: never });
    assert.equal(result.status, 200);
    const { rawHeaders, headers, body, method } = http.seen.at(-1) ?? assert.fail();
    assert.equal(method, "PUT");
    assert.equal(headers["content-length"], String(size));
    assert.equal(body.length, size);
    const names = rawHeaders.filter((_value, k) => k % 2 === 0).map((name) => name.toLowerCase());
    assert.deepEqual(names.sort(), ["connection", "content-length", "host"]);
  }
});

test("an upload follows 307 with its body, tells what the storage said, and its file's errors stay the file's", async () => {
  const file = join(folder, "upload");
  await writeFile(file, Buffer.alloc(2_000_000, 6));
  elsewhere.seen.length = 0;
  assert.equal((await putFile(`${http.origin}/away`, file, { timeoutMs: 5000, signal: never })).status, 200);
  assert.equal(elsewhere.seen[0]?.body.length, 2_000_000);
  const refused = await putFile(`${http.origin}/expired`, file, { timeoutMs: 5000, signal: never });
  assert.deepEqual(refused, { status: 403, complaint: "AccessDenied: Request has expired", retryAfterMs: undefined });
  assert.equal((await failure(putFile(`${http.origin}/silent?${SECRET}`, file, { timeoutMs: 100, signal: never }))).kind, "timeout");
  await assert.rejects(putFile(`${http.origin}/put`, join(folder, "missing"), { timeoutMs: 1000, signal: never }), { code: "ENOENT" });
  await assert.rejects(putFile(`${http.origin}/put`, folder, { timeoutMs: 1000, signal: never }), { code: "EISDIR" });
});
