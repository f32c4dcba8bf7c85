import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeDeltas } from "../../proto/deltas.js";
import { AssetExported, AssetOutcome, ColourMode, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { orientedJpeg } from "../../test/support/images.js";
import { startLocalHttp } from "../../test/support/local-http.js";
import type { Bus, Delivery, OutgoingMessage } from "../runtime/bus/bus.js";
import { readConfig } from "../runtime/config.js";
import { Retry } from "../runtime/errors.js";
import { type GatewayConnection, NotKnown } from "../runtime/gateway-calls.js";
import { createLogger } from "../runtime/log.js";
import { filterKeys, filterLimits, imageSettings } from "./config.js";
import { startFilter } from "./main.js";

const ENVELOPE = { run: "R1", gateway: "g0", packager: "p0", epoch: 1, round: 0, index: 0, part: 0, parts: 0 };
const ROW = {
  externalId: "a.png",
  metadata: { width: 10, height: 10 },
  task: { taskId: "t1", stage: "Complete", tools: [{ title: "Car", polygon: [[1, 1]] }] },
};

/** A bus that holds one message at a time and tells when it is settled. */
function createOneMessageBus() {
  const published: OutgoingMessage[] = [];
  let deliver: (delivery: Delivery) => void = () => assert.fail("nobody consumes");
  const bus: Bus = {
    publish: async (message) => void published.push(message),
    consume: async (queue, _, to) => {
      assert.equal(queue, "filter");
      deliver = to;
      return { stop: async () => undefined, release: async () => undefined };
    },
    lag: async () => 0,
    ready: () => true,
    close: async () => undefined,
  };
  const send = (body: Uint8Array, { run = "R1", attempt = 1 } = {}) =>
    new Promise<"acked" | "handed back">((resolve) => {
      const settle = (how: "acked" | "handed back") => async () => resolve(how);
      const settled = { ack: settle("acked"), retry: settle("handed back") };
      deliver({ queue: "filter", key: run, id: `${run}/1.0/0`, headers: {}, body, attempt, ...settled });
    });
  return { bus, published, send };
}

const gateway: GatewayConnection = {
  address: "g0",
  getContext: async ({ run }) => {
    if (run !== "R1") throw new NotKnown("no such run");
    const classes = [{ title: "Car", value: 7, schemaIds: [] }];
    return {
      context: { run, session: "", projectId: "", archiveName: "", settings: undefined, mode: ColourMode.GRAY, classes, stages: [] },
    };
  },
  sync: () => Promise.reject(new Retry("not here")),
  getUploadTarget: () => Promise.reject(new Retry("not here")),
  report: () => Promise.reject(new Retry("not here")),
  close: () => undefined,
};

describe("the filter service", () => {
  it("turns exported assets into mask requests and outcomes in its workers", { timeout: 30_000 }, async () => {
    const { bus, published, send } = createOneMessageBus();
    const onFatal = (error: Error) => assert.fail(error);
    const platform = {
      bus,
      blobs: { put: async () => undefined, get: async () => undefined, deleteRun: async () => undefined, listRuns: async () => [] },
      log: createLogger("silent"),
      onFatal,
    };
    const jpeg = await orientedJpeg({ width: 9, height: 6 }, 6);
    const images = await startLocalHttp(({ url }, response) => void response.writeHead(url.startsWith("/a.jpg") ? 200 : 404).end(jpeg));
    const config = readConfig(filterKeys, { IMAGE_PIXEL_LIMIT: "100", FETCH_ALLOW: "127.0.0.0/8" });
    const options = { gateways: [gateway], concurrency: 1, limits: filterLimits(config), images: imageSettings(config) };
    const service = await startFilter(platform, { ...options, unknownRunMs: 0, drainMs: 5_000 });
    // Waits between tries keep no process alive; here there is nothing else that would.
    const alive = setInterval(() => undefined, 1_000);
    try {
      assert.equal(service.notReady(), undefined);
      const encoded = (row: object) => AssetExported.encode({ envelope: ENVELOPE, row: Buffer.from(JSON.stringify(row)) }).finish();
      const take = () => published.splice(0).map(({ id, queue, key, body }) => ({ id, queue, key, body }));

      assert.equal(await send(encoded(ROW)), "acked");
      const [request] = take();
      assert.deepEqual([request?.id, request?.queue, request?.key], ["R1/1.0/0/p0", "raster", "R1"]);
      const { shapes } = MaskRequested.decode(request?.body ?? Buffer.alloc(0));
      assert.deepEqual(shapes, [{ classIndex: 0, value: 7, zones: [{ region: { deltas: encodeDeltas([1, 1]) }, holes: [] }] }]);

      assert.equal(await send(encoded(ROW), { attempt: 3 }), "acked");
      assert.deepEqual(take(), [request], "a worker of its own gives the same");

      assert.equal(await send(encoded({ ...ROW, metadata: { width: 10, height: 11 } })), "acked");
      const [outcome] = take();
      assert.deepEqual([outcome?.id, outcome?.queue], ["R1/1.0/0/f", "out.p0"]);
      const rejected = AssetOutcome.decode(outcome?.body ?? Buffer.alloc(0)).outcome;
      assert.ok(rejected?.$case === "rejected" && rejected.value.code === "over_limit", "the workers know the configured limits");

      const unsized = { ...ROW, metadata: {}, asset: `${images.origin}/a.jpg?sig=5ec4e7` };
      for (const attempt of [1, 3]) {
        assert.equal(await send(encoded(unsized), { attempt }), "acked");
        const [mask] = take();
        const { width, height, shapes } = MaskRequested.decode(mask?.body ?? Buffer.alloc(0));
        assert.deepEqual([mask?.id, width, height, shapes.length], ["R1/1.0/0/p0", 6, 9, 1], "its size is that of its image, turned");
        assert.ok(!Buffer.from(mask?.body ?? "").includes("5ec4e7"));
      }
      assert.equal(images.seen.length, 1, "which is looked into once");
      assert.equal(await send(encoded({ ...unsized, asset: `${images.origin}/none.jpg?sig=5ec4e7` })), "acked");
      const [gone] = take();
      assert.equal(gone?.id, "R1/1.0/0/f");
      const noSize = AssetOutcome.decode(gone?.body ?? Buffer.alloc(0)).outcome;
      assert.ok(noSize?.$case === "rejected" && noSize.value.code === "no_size");
      assert.match(noSize.value.reason, /does not tell its size .*, and its image can not be fetched \(GET http:.*none\.jpg: HTTP 404\)$/);

      assert.equal(await send(Buffer.from([0xff, 0x0f, 0x6f])), "acked");
      assert.deepEqual(take(), [], "what is no message is no task of the workers either");

      assert.equal(await send(encoded(ROW), { run: "R0" }), "acked");
      assert.deepEqual(take(), [], "a run that no gateway knows is dropped");
    } finally {
      clearInterval(alive);
      await service.stop();
      await service.stop();
      await images.close();
    }
  });
});
