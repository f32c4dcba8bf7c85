import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../project-root.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { type OtlpReceiver, startOtlpReceiver, Trace, tracesOf } from "./otlp-receiver.js";
import { parsePrometheusText } from "./prometheus-text.js";
import { CANARIES, type WatchedMaskline, watchMaskline } from "./watched-maskline.js";

const ASSETS = 8;
const LONG_MS = 20_000;
const tellModules = { NODE_OPTIONS: `--import ${pathToFileURL(join(projectRoot, "test/telemetry/loaded-modules.mjs")).href}` };

/** How many modules of OpenTelemetry each thread of a process had loaded when it ended. */
const loadedModules = ({ lines }: WatchedMaskline): readonly { readonly threadId: number; readonly openTelemetry: number }[] =>
  lines.filter((line) => line.includes('"openTelemetry"')).map((line) => JSON.parse(line));

describe("a process whose telemetry is sent away", { timeout: 120_000 }, () => {
  let receiver: OtlpReceiver;
  let maskline: WatchedMaskline;
  let firstLine = "";
  before(async () => {
    receiver = await startOtlpReceiver();
    // Spans so late that only the end of the process can have sent them.
    const pace = { OTEL_BSP_SCHEDULE_DELAY: "600000", OTEL_METRIC_EXPORT_INTERVAL: "300" };
    maskline = await watchMaskline(ASSETS, { ...receiver.env, ...tellModules, ...pace });
    const handle = await maskline.press();
    assert.equal((await handle.result).export, true);
    await eventuallyHolds(() => assert.ok(maskline.log.some(({ msg }) => msg === "Hub has the session's answer")), LONG_MS);
    await eventuallyHolds(() => assert.ok(receiver.metrics.has("process.memory.usage")), LONG_MS);
    firstLine = handle.logs[0]?.msg ?? "";
    await maskline.child.stop();
  });
  after(async () => {
    await maskline.close();
    await receiver.close();
  });

  it("sends what is left when it ends: one whole trace, under its role's name", () => {
    const [trace, ...others] = tracesOf(receiver.spans);
    assert.ok(trace);
    assert.deepEqual([others, trace.orphans()], [[], []]);
    assert.deepEqual(
      trace.roots().map(({ name }) => name),
      ["session"],
    );
    assert.equal(trace.named("process raster").length, ASSETS);
    assert.deepEqual(new Set(trace.spans.map(({ service }) => service)), new Set(["maskline-all"]));
    assert.ok(firstLine.includes(trace.spans[0]?.traceId ?? "none"), firstLine);
  });

  it("sends its metrics", () => {
    for (const name of [
      "maskline.assets",
      "maskline.stage.duration",
      "messaging.process.duration",
      "process.memory.usage",
      "maskline.queue.lag",
    ]) {
      assert.ok(receiver.metrics.has(name), name);
    }
  });

  it("names session, run and trace in the lines of its log about a session", () => {
    const [{ traceId = "" } = {}] = receiver.spans;
    const about = maskline.log.filter(({ run }) => run !== undefined);
    assert.ok(about.length >= 5);
    for (const line of about) {
      assert.equal(line.trace_id, traceId, line.msg);
      assert.match(String(line.run), /^[\dA-Z]{26}$/);
      assert.ok(line.session, line.msg);
    }
  });

  it("tells no secret, neither in what it sends nor in its log", () => {
    for (const canary of CANARIES) assert.ok(![...receiver.bodies, ...maskline.lines].some((text) => text.includes(canary)), canary);
  });

  it("has the SDK in its main thread alone", () => {
    const threads = loadedModules(maskline);
    assert.ok(threads.some(({ threadId, openTelemetry }) => threadId === 0 && openTelemetry > 0));
    assert.ok(threads.every(({ threadId, openTelemetry }) => threadId === 0 || openTelemetry === 0));
  });
});

describe("a process whose telemetry goes nowhere", { timeout: 120_000 }, () => {
  let maskline: WatchedMaskline;
  before(async () => {
    maskline = await watchMaskline(ASSETS, tellModules);
    assert.equal((await (await maskline.press()).result).export, true);
  });
  after(() => maskline.close());

  it("shows its figures to Prometheus all the same", async () => {
    let text = "";
    await eventuallyHolds(async () => {
      const answer = await maskline.get("/metrics");
      assert.deepEqual([answer.status, answer.type], [200, "text/plain; version=0.0.4; charset=utf-8"]);
      text = answer.text;
      assert.match(text, /maskline_sessions_ended_total/);
    }, LONG_MS);
    const samples = parsePrometheusText(text);
    const value = (name: string, labels: Readonly<Record<string, string>> = {}) =>
      samples.find((one) => one.name === name && Object.entries(labels).every(([key, wanted]) => one.labels[key] === wanted))?.value;
    assert.equal(value("maskline_assets_total", { maskline_outcome: "masked" }), ASSETS);
    assert.equal(value("maskline_masks_total"), ASSETS);
    assert.equal(value("maskline_sessions_accepted_total"), 1);
    assert.equal(value("maskline_sessions_ended_total", { maskline_outcome: "exported" }), 1);
    for (const queue of ["filter", "raster", "out.{packager}"]) {
      const labels = { messaging_destination_template: queue };
      assert.equal(value("messaging_client_sent_messages_total", labels), ASSETS);
      assert.equal(value("messaging_process_duration_seconds_count", labels), ASSETS);
      assert.equal(value("maskline_queue_lag", labels), 0);
    }
    for (const stage of ["project", "export", "freeze", "paint", "encode", "spool", "zip", "upload"]) {
      assert.ok(Number(value("maskline_stage_duration_seconds_count", { maskline_stage: stage })) > 0, stage);
    }
    assert.ok(Number(value("process_memory_usage_bytes")) > 1e7);
    assert.ok(Number(value("system_filesystem_usage_bytes", { system_filesystem_state: "free" })) > 0);
    for (const canary of CANARIES) assert.ok(!text.includes(canary), canary);
  });

  it("gives attributes few values: no run, session or asset is among them", async () => {
    const { text } = await maskline.get("/metrics");
    const sessions = maskline.log.flatMap(({ session, run }) => [session, run]).filter((id) => typeof id === "string");
    assert.ok(sessions.length > 0);
    for (const id of sessions) assert.ok(!text.includes(id), id);
    assert.doesNotMatch(text, /task-\d/);
  });

  it("has loaded nothing of the SDK", async () => {
    await maskline.child.stop();
    const threads = loadedModules(maskline);
    assert.ok(threads.some(({ threadId }) => threadId === 0));
    assert.ok(threads.every(({ openTelemetry }) => openTelemetry === 0));
  });
});

describe("a process that is killed in the middle of a session", { timeout: 120_000 }, () => {
  let receiver: OtlpReceiver;
  let maskline: WatchedMaskline;
  before(async () => {
    receiver = await startOtlpReceiver();
    maskline = await watchMaskline(120, { ...receiver.env, SESSION_WINDOW: "8", TRACED_ASSETS: "60" });
  });
  after(async () => {
    await maskline.close();
    await receiver.close();
  });

  it("is followed by one that goes on with the same trace, to its one end", async () => {
    const handle = await maskline.press('{"verbose_frequency": 10}');
    await eventuallyHolds(() => assert.ok(handle.logs.some(({ msg }) => / of 120 /.test(msg))), LONG_MS);
    await eventuallyHolds(() => assert.ok(receiver.spans.some(({ name }) => name === "process filter")), LONG_MS);
    await maskline.child.kill();
    const before = receiver.spans.length;
    assert.ok(!receiver.spans.some(({ name }) => name === "session"));
    maskline.start();
    assert.equal((await handle.result).export, true);
    await eventuallyHolds(() => assert.ok(maskline.log.some(({ msg }) => msg === "Hub has the session's answer")), LONG_MS);
    await maskline.child.stop();

    assert.equal(new Set(receiver.spans.map(({ traceId }) => traceId)).size, 1);
    const trace = new Trace(receiver.spans);
    const [root, ...others] = trace.named("session");
    assert.ok(root);
    assert.deepEqual(others, []);
    const after = new Trace(receiver.spans.slice(before));
    for (const name of ["publish round", "process raster", "pack run", "answer session"]) assert.ok(after.named(name).length > 0, name);
    const ofRoot = (name: string) => trace.named(name).every(({ parentSpanId }) => parentSpanId === root.spanId);
    for (const name of ["accept session", "publish filter", "pack run", "answer session"]) assert.ok(ofRoot(name), name);
    assert.ok(root.startMs <= Math.min(...trace.spans.map(({ startMs }) => startMs)) + 3);
  });
});

describe("a process whose collector can not be reached", { timeout: 60_000 }, () => {
  it("does its work, says once what is wrong, and ends in time", async () => {
    const closed = await startOtlpReceiver();
    await closed.close();
    const maskline = await watchMaskline(2, closed.env);
    try {
      assert.equal((await (await maskline.press()).result).export, true);
      await maskline.child.stop();
      assert.ok(maskline.log.some(({ msg }) => msg === "stopping"));
      const complaints = maskline.log.filter(({ msg }) => /^OpenTelemetry: /.test(msg ?? ""));
      assert.ok(complaints.length <= 3, JSON.stringify(complaints));
    } finally {
      await maskline.close();
    }
  });
});
