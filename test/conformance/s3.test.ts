/** The S3 adapter against the blob suite on a real server, and what it makes of a store that refuses, is away, or hangs. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { after, afterEach, before, describe, type TestContext, test } from "node:test";
import type { BucketPlace } from "../../services/runtime/blob/place.js";
import { createS3Blobs } from "../../services/runtime/blob/s3.js";
import { Fatal, Retry } from "../../services/runtime/errors.js";
import { findS3, S3_CREDENTIALS, type S3Server, startS3 } from "../brokers/s3.js";
import { startLocalHttp } from "../support/local-http.js";
import { blobConformance } from "./blob.js";
import { s3BlobsExceptions } from "./exceptions.js";

const AT_ONCE = 4;

const found = findS3();
let server: S3Server;
before(async () => {
  Object.assign(process.env, S3_CREDENTIALS);
  if ("program" in found) server = await startS3(found.program);
});
after(() => server?.close());

const fixture = async () => {
  const place = server.place(`tests/${randomUUID()}`);
  return { blobs: await createS3Blobs(place), another: () => createS3Blobs(place), dispose: async () => {} };
};

if ("skip" in found) test("S3 blobs", { skip: found.skip });
else blobConformance("S3 blobs", fixture, s3BlobsExceptions, AT_ONCE);

describe("S3 blobs on a real server", { skip: "skip" in found ? found.skip : false }, () => {
  afterEach(() => void Object.assign(process.env, S3_CREDENTIALS));

  test("more blobs than a page lists are told and deleted, and other prefixes of the bucket are left alone", async () => {
    const prefix = randomUUID();
    const blobs = await createS3Blobs(server.place(prefix));
    const neighbour = await createS3Blobs(server.place(`${prefix}-b`));
    const whole = await createS3Blobs(server.place(""));
    const indexes = Array.from({ length: 1_100 }, (_, index) => index);
    const put = async (index: number | undefined) => {
      for (; index !== undefined; index = indexes.pop()) await blobs.put(`r1/1.0/${index}`, Buffer.from("x"));
    };
    await Promise.all(Array.from({ length: 16 }, () => put(indexes.pop())));
    await blobs.put("r2/1", Buffer.from("x"));
    await neighbour.put("r1/1", Buffer.from("x"));
    assert.deepEqual((await blobs.listRuns()).map(({ run }) => run).sort(), ["r1", "r2"]);
    // What others keep in the bucket may look like a run, but is none of ours.
    assert.ok((await whole.listRuns()).some(({ run }) => run === prefix));
    await blobs.deleteRun("r1");
    assert.deepEqual((await blobs.listRuns()).map(({ run }) => run).sort(), ["r2"]);
    assert.ok(await neighbour.get("r1/1"));
  });

  test("a bucket that is not there refuses the start, with what to look at", async () => {
    const place = { ...server.place("p"), bucket: "no-such-bucket" };
    await assert.rejects(createS3Blobs(place), (error) => {
      assert.ok(error instanceof Fatal);
      assert.match(error.message, /s3:\/\/no-such-bucket\/p can not be used \(NoSuchBucket\): check the bucket's name in BLOB_URL/);
      return true;
    });
  });

  for (const [what, wrong] of Object.entries({
    "an unknown key": { AWS_ACCESS_KEY_ID: "somebody" },
    "a wrong secret": { AWS_SECRET_ACCESS_KEY: "wrong-secret-canary" },
  })) {
    test(`${what} refuses the start, with what to look at and without a secret`, async () => {
      Object.assign(process.env, wrong);
      await assert.rejects(createS3Blobs(server.place("p")), (error) => {
        assert.ok(error instanceof Fatal);
        assert.match(error.message, /check the credentials/);
        assert.doesNotMatch(error.message, /canary/);
        return true;
      });
    });
  }

  test("a store that goes away is Retry, a start without it is no failure, and all is there when it is back", {
    timeout: 60_000,
  }, async () => {
    const place = server.place(randomUUID());
    const blobs = await createS3Blobs(place);
    await blobs.put("r/1", Buffer.from("x"));
    await server.kill();
    try {
      await assert.rejects(blobs.put("r/2", Buffer.from("y")), Retry);
      await assert.rejects(blobs.get("r/1"), Retry);
      await assert.rejects(blobs.listRuns(), Retry);
      await assert.rejects(blobs.deleteRun("r"), Retry);
      await createS3Blobs(place);
    } finally {
      await server.start();
    }
    assert.deepEqual(Buffer.from((await blobs.get("r/1")) ?? []), Buffer.from("x"));
  });
});

test("a body that breaks off is read again", async (t) => {
  let gets = 0;
  const place = await fakeStore(t, (response) => {
    gets += 1;
    if (gets < 3) response.writeHead(200, { "content-length": "5" }).write("hal", () => response.destroy());
    else response.writeHead(200, { "content-length": "5" }).end("whole");
  });
  const blobs = await createS3Blobs(place);
  assert.equal(Buffer.from((await blobs.get("r/1")) ?? []).toString(), "whole");
  gets = -100;
  await assert.rejects(blobs.get("r/1"), Retry);
});

test("a store that hangs, before its answer or in the middle of a body, is given up in time", { timeout: 60_000 }, async (t) => {
  let bytes = 0;
  const place = await fakeStore(t, (response) => {
    if (bytes > 0) response.writeHead(200, { "content-length": "100" }).write("x".repeat(bytes));
  });
  const blobs = await createS3Blobs(place, 300);
  await assert.rejects(blobs.get("r/1"), /did not answer within 0.3 s/);
  bytes = 50;
  await assert.rejects(blobs.get("r/1"), /did not answer within 0.3 s/);
});

/** A store that lists nothing, and answers everything else as the test says. */
async function fakeStore(t: TestContext, answer: (response: ServerResponse) => void): Promise<BucketPlace> {
  const store = await startLocalHttp(({ url }, response) => {
    if (url.includes("list-type")) response.writeHead(200, { "content-type": "application/xml" }).end("<ListBucketResult/>");
    else answer(response);
  });
  t.after(() => store.close());
  return { bucket: "b", prefix: "", endpoint: store.origin, region: undefined, pathStyle: true };
}
