import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import type { Fault } from "./http-answers.js";
import { type HubSimulator, startHubSimulator } from "./server.js";

const PROJECT = "64aa00000000000000000001";
let hub: HubSimulator;
let fault: Fault | undefined;
let lifetime = 60;

before(async () => {
  const rows = ["Complete", "Label"].map((stage, index) => ({
    asset: `https://hub.invalid/images/${index}.png`,
    batches: [`Batch ${index}`],
    task: { stage, stageId: stage },
  }));
  hub = await startHubSimulator({
    projects: [
      {
        project: { _id: PROJECT, batches: [{ _id: "b0", name: "Batch 0" }] },
        rows: () => [...rows, "not json"],
        images: { "0.png": Buffer.from("pixels") },
      },
    ],
    pluginId: "plugin",
    pluginSecret: "secret",
    apiKey: "key",
    faults: { onRequest: () => fault, urlLifetime: () => lifetime },
  });
});
after(() => hub.close());

async function call(path: string, apikey = "key") {
  const answer = await fetch(`${hub.url}${path}`, { headers: { apikey } });
  return { status: answer.status, body: (await answer.json()) as { status: string; message?: string; data?: Record<string, string> } };
}

async function uploadUrl(name = "masks.zip"): Promise<string> {
  const { status, body } = await call(`/v2/getUploadUrl?name=${encodeURIComponent(name)}&project=${PROJECT}&type=exports`);
  assert.equal(status, 201);
  return body.data?.uploadUrl ?? "";
}

/** PUT by hand, for fetch would add a Content-Type or the length by itself. */
function put(url: string, headers: Record<string, string>, body = "zip bytes"): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "PUT", headers }, (incoming) => {
      incoming.setEncoding("utf8");
      let text = "";
      incoming.on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A PUT with neither a length nor chunks, which no client library sends. */
async function putWithoutLength(url: URL): Promise<string> {
  const socket = connect(Number(url.port), url.hostname);
  socket.end(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** The one entry of a zip, found through its central directory. */
function entryOf(zip: Buffer): { name: string; text: string } {
  const end = zip.length - 22;
  assert.equal(zip.readUInt32LE(end), 0x06054b50);
  const central = zip.readUInt32LE(end + 16);
  assert.equal(zip.readUInt32LE(central), 0x02014b50);
  const nameLength = zip.readUInt16LE(central + 28);
  const start = zip.readUInt32LE(central + 42) + 30 + nameLength;
  const bytes = inflateRawSync(zip.subarray(start, start + zip.readUInt32LE(central + 20)));
  assert.equal(bytes.length, zip.readUInt32LE(central + 24));
  return { name: zip.toString("utf8", central + 46, central + 46 + nameLength), text: bytes.toString("utf8") };
}

async function exported(query: string): Promise<string[]> {
  const { status, body } = await call(`/v2/export?${query}project=${PROJECT}`);
  assert.equal(status, 200);
  const zip = Buffer.from(await (await fetch(body.data?.exportPath ?? "")).arrayBuffer());
  return entryOf(zip).text.split("\n").slice(0, -1);
}

test("an export is a zip of NDJSON whose asset URLs point to the simulator", async () => {
  const lines = await exported("");
  assert.equal(lines.length, 3);
  assert.equal(JSON.parse(lines[0] ?? "").asset, `${hub.url}/images/0.png`);
  assert.equal(await (await fetch(`${hub.url}/images/0.png`)).text(), "pixels");
});

test("stage and batches filter the rows as Hub does; the order of the query is recorded", async () => {
  assert.equal((await exported('stage=["Complete"]&')).length, 2);
  assert.equal((await exported('batches=["b0"]&')).length, 2, "the broken line passes every filter");
  assert.deepEqual(hub.exports.at(-1), [
    ["batches", '["b0"]'],
    ["project", PROJECT],
  ]);
});

test("a wrong key is 401 and an unknown project 400, with Hub's bodies", async () => {
  assert.deepEqual(await call(`/v2/export?project=${PROJECT}`, "wrong"), {
    status: 401,
    body: { status: "fail", message: "Invalid API KEY" },
  });
  assert.deepEqual(await call("/v2/project/nobody"), { status: 400, body: { status: "fail", message: "Invalid project: nobody" } });
  assert.equal((await call(`/v2/project/${PROJECT}`)).status, 200);
  assert.equal((await call("/v2/nothing")).status, 404);
});

test("what was PUT to an upload URL is read back by the signed URL, in each way that a client may name it", async () => {
  const upload = await uploadUrl();
  assert.equal((await put(upload, { "Content-Length": "9" })).status, 200);
  assert.deepEqual(hub.uploads.at(-1), { key: `${PROJECT}/exports/masks.zip`, bytes: 9 });
  const names = [encodeURIComponent(upload), encodeURIComponent(upload.split("?")[0] ?? ""), upload];
  for (const name of names) {
    const { status, body } = await call(`/v2/getSignedUrl?name=${name}&project=${PROJECT}&type=exports`);
    assert.equal(status, 201);
    assert.equal(await (await fetch(body.data?.signedUrl ?? "")).text(), "zip bytes");
  }
});

test("the bucket refuses what S3 refuses", async () => {
  const upload = await uploadUrl("refused.zip");
  const length = { "Content-Length": "9" };
  assert.equal((await put(upload, { "Transfer-Encoding": "chunked" })).status, 501);
  assert.match(await putWithoutLength(new URL(upload)), /^HTTP\/1\.1 411 /);
  assert.equal((await put(upload, { ...length, "Content-Type": "application/zip" })).status, 403);
  assert.equal((await put(upload, { ...length, "x-amz-acl": "private" })).status, 403);
  const altered = await put(upload.replace("refused", "other"), length);
  assert.equal(altered.status, 403);
  assert.match(altered.text, /<Error><Code>SignatureDoesNotMatch<\/Code>/);
  lifetime = 0;
  assert.match((await put(await uploadUrl(), length)).text, /expired/);
  lifetime = 60;
  assert.ok(!hub.uploads.some(({ key }) => key.endsWith("refused.zip")));
  const { body } = await call(`/v2/getSignedUrl?name=${encodeURIComponent(upload)}&project=${PROJECT}&type=exports`);
  assert.equal((await fetch(body.data?.signedUrl ?? "")).status, 404);
});

test("a byte range of an image is answered with 206", async () => {
  const path = (await call(`/v2/export?project=${PROJECT}`)).body.data?.exportPath ?? "";
  const part = await fetch(path, { headers: { Range: "bytes=0-3" } });
  assert.equal(part.status, 206);
  assert.equal(Buffer.from(await part.arrayBuffer()).toString("latin1"), "PK\x03\x04");
});

test("an injected fault replaces the answer: a status, a reset, a body cut in its middle, silence", async () => {
  const url = `${hub.url}/images/0.png`;
  fault = { status: 503, body: "busy" };
  assert.equal((await fetch(url)).status, 503);
  fault = "reset";
  await assert.rejects(fetch(url));
  fault = "cut";
  const half = await fetch(url);
  assert.equal(half.status, 200);
  await assert.rejects(half.text());
  fault = "hang";
  await assert.rejects(fetch(url, { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  fault = undefined;
  assert.equal((await fetch(url)).status, 200);
});
