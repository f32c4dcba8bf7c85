import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findNats } from "../brokers/nats.js";
import { projectRoot } from "../project-root.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { type OtlpReceiver, startOtlpReceiver, tracesOf } from "../telemetry/otlp-receiver.js";
import { composeManifests } from "./compose.js";
import { type LocalCluster, MASKLINE, SIMULATOR, startCluster } from "./local-cluster.js";

/** They are sent in batches, every 5 s. */
const SPANS_MS = 20_000;
const nats = findNats();

describe("deploy/compose.yaml, its services as local processes", { skip: "skip" in nats && nats.skip }, () => {
  let jaeger: OtlpReceiver;
  let cluster: LocalCluster;
  before(async () => {
    jaeger = await startOtlpReceiver();
    cluster = await startCluster({
      manifests: composeManifests(readFileSync(join(projectRoot, "deploy/compose.yaml"), "utf8"), ["jaeger"]),
      images: { maskline: MASKLINE, "maskline-simulator": SIMULATOR, nats: ["program" in nats ? nats.program : ""] },
      // What stands in for Jaeger reads JSON.
      outside: { "http://jaeger:4318": jaeger.url, "http/protobuf": "http/json" },
    });
  });
  after(async () => {
    await cluster?.close();
    await jaeger?.close();
  });

  it("runs a session by itself, whatever is up first", async () => {
    const { code, output } = await cluster.runTest("session");
    const said = cluster.pods.map(({ name }) => `${name}:\n${cluster.saidBy(name).slice(-1_000)}`).join("\n\n");
    assert.equal(code, 0, `${output}\n${said}`);
    assert.match(output, /Done in .* masks for \d+ of 60 assets.*\nThe session ended with a zip of \d{6} bytes/s);
  });

  it("sends the session's trace to Jaeger, from all four services", async () => {
    await eventuallyHolds(() => {
      const traces = tracesOf(jaeger.spans).map((trace) => new Set(trace.spans.map(({ service }) => service)).size);
      assert.ok(traces.includes(4), `spans of ${traces.join(", ")} services in the traces`);
    }, SPANS_MS);
  });
});
