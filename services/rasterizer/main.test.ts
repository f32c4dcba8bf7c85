import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeDeltas } from "../../proto/deltas.js";
import { AssetOutcome, ColourMode, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Bus, Delivery, OutgoingMessage } from "../runtime/bus/bus.js";
import { readConfig } from "../runtime/config.js";
import { createLogger } from "../runtime/log.js";
import { rasterizerKeys, rasterizerSettings } from "./config.js";
import { startRasterizer } from "./main.js";

const ENVELOPE = { run: "R1", gateway: "g0", packager: "p0", epoch: 1, round: 0, index: 0, part: 0, parts: 1 };
const REQUEST: MaskRequested = {
  envelope: ENVELOPE,
  asset: { taskId: "t1", assetId: "a1", externalId: "x.png", batches: [] },
  width: 8,
  height: 8,
  mode: ColourMode.GRAY,
  shapes: [{ classIndex: 0, value: 7, zones: [{ region: { deltas: encodeDeltas([1, 1, 5, 0, 0, 5]) }, holes: [] }] }],
  dropped: [],
};

/** A bus that holds one message at a time and tells when it is settled. */
function createOneMessageBus() {
  const published: OutgoingMessage[] = [];
  let deliver: (delivery: Delivery) => void = () => assert.fail("nobody consumes");
  const bus: Bus = {
    publish: async (message) => void published.push(message),
    consume: async (queue, _, to) => {
      assert.equal(queue, "raster");
      deliver = to;
      return { stop: async () => undefined, release: async () => undefined };
    },
    lag: async () => 0,
    ready: () => true,
    close: async () => undefined,
  };
  const send = (body: Uint8Array, attempt = 1) =>
    new Promise<"acked" | "handed back">((resolve) => {
      const settle = (how: "acked" | "handed back") => async () => resolve(how);
      const settled = { ack: settle("acked"), retry: settle("handed back") };
      deliver({ queue: "raster", key: "R1", id: "R1/1.0/0/p0", headers: {}, body, attempt, ...settled });
    });
  return { bus, published, send };
}

describe("the rasterizer service", () => {
  for (const pngEncoder of ["runs", "sharp"] as const) {
    it(`turns requests into masks in its workers, with the encoder "${pngEncoder}"`, { timeout: 30_000 }, async () => {
      const { bus, published, send } = createOneMessageBus();
      const platform = {
        bus,
        blobs: { put: async () => undefined, get: async () => undefined, deleteRun: async () => undefined, listRuns: async () => [] },
        log: createLogger("silent"),
        onFatal: (error: Error) => assert.fail(error),
      };
      const settings = { ...rasterizerSettings(readConfig(rasterizerKeys, {})), imagePixels: 64, pngEncoder };
      const service = await startRasterizer(platform, { ...settings, concurrency: 1, drainMs: 5_000 });
      // Waits between tries keep no process alive; here there is nothing else that would.
      const alive = setInterval(() => undefined, 1_000);
      try {
        assert.equal(service.notReady(), undefined);
        const take = () => published.splice(0).map(({ id, queue, key, body }) => ({ id, queue, key, body: Buffer.from(body) }));

        assert.equal(await send(MaskRequested.encode(REQUEST).finish()), "acked");
        const masks = take();
        assert.deepEqual(
          masks.map(({ id, queue, key }) => [id, queue, key]),
          [["R1/1.0/0/p0/m", "out.p0", "R1"]],
        );
        const { outcome } = AssetOutcome.decode(masks[0]?.body ?? Buffer.alloc(0));
        assert.ok(outcome?.$case === "rendered" && outcome.value.png.length > 50);

        assert.equal(await send(MaskRequested.encode(REQUEST).finish(), 3), "acked");
        assert.deepEqual(take(), masks, "a process of its own gives the same");

        assert.equal(await send(MaskRequested.encode({ ...REQUEST, width: 9 }).finish()), "acked");
        const rejected = AssetOutcome.decode(take()[0]?.body ?? Buffer.alloc(0)).outcome;
        assert.ok(rejected?.$case === "rejected" && rejected.value.code === "over_limit", "the workers know the configured limits");
      } finally {
        clearInterval(alive);
        await service.stop();
        await service.stop();
      }
    });
  }
});
