/** The pipeline with its large bodies in a real S3-compatible store. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sweepBlobs } from "../../services/gateway/sweep.js";
import type { Blobs } from "../../services/runtime/blob/blob.js";
import { createS3Blobs } from "../../services/runtime/blob/s3.js";
import { createLogger } from "../../services/runtime/log.js";
import { findS3, S3_CREDENTIALS, type S3Server, startS3 } from "../brokers/s3.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { startPipeline } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const ASSETS = 60;
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({ id: `task-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }),
);
/** Every row and every mask is larger. */
const INLINE_BYTES = 16;

const found = findS3();

describe("with blobs in S3", { skip: "skip" in found ? found.skip : false }, () => {
  let server: S3Server;
  before(async () => {
    Object.assign(process.env, S3_CREDENTIALS);
    server = await startS3("program" in found ? found.program : "");
  });
  after(() => server?.close());

  it("a session gives the same archive as without, also when the store is away for a while, and leaves no blob", {
    timeout: 90_000,
  }, async () => {
    const plain = await startPipeline({ rows });
    const expected = (await plain.run()).bytes;
    await plain.close();
    assert.ok(expected);

    const stored = await createS3Blobs(server.place("masks"));
    let puts = 0;
    const blobs: Blobs = {
      ...stored,
      put: async (key, body) => {
        await stored.put(key, body);
        puts += 1;
      },
    };
    const pipeline = await startPipeline({ rows, blobs, inlineBytes: INLINE_BYTES, env: { SESSION_WINDOW: "8" } });
    try {
      const handle = await pipeline.press();
      await eventuallyHolds(() => assert.ok(puts >= 30), 20_000);
      await server.kill();
      assert.equal(handle.results.length, 0);
      await server.start();
      assert.equal((await handle.result).export, true);
      assert.ok((await handle.download()).equals(expected));
      assert.ok(puts >= 3 * ASSETS, "rows, requests and masks went through the store");
      await eventuallyHolds(async () => assert.deepEqual(await stored.listRuns(), []), 20_000);
    } finally {
      await pipeline.close();
    }
  });

  it("what a run has left behind is swept when it is a day old, and what is younger stays", async () => {
    const blobs = await createS3Blobs(server.place("swept"));
    await blobs.put("old/1.0/1", Buffer.from("x"));
    const day = 24 * 3_600_000;
    const sweep = (wallClock: () => number, open: readonly string[]) =>
      sweepBlobs({
        blobs,
        store: { get: (run) => (open.includes(run) ? { state: "accepted" } : undefined) as never },
        keepMs: day,
        wallClock,
        signal: new AbortController().signal,
        log: createLogger("silent"),
      });
    const left = async () => (await blobs.listRuns()).map(({ run }) => run);
    await sweep(Date.now, []);
    assert.deepEqual(await left(), ["old"]);
    await sweep(() => Date.now() + day + 60_000, ["old"]);
    assert.deepEqual(await left(), ["old"]);
    await sweep(() => Date.now() + day + 60_000, []);
    assert.deepEqual(await left(), []);
  });
});
