import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Bus, Delivery, OutgoingMessage } from "../bus/bus.js";
import { createMemoryBus } from "../bus/memory.js";
import { Retry } from "../errors.js";
import { logFields } from "./log-fields.js";
import { observedBus } from "./observed-bus.js";
import { observedStep } from "./observed-step.js";
import { isSampled, type TraceParent, traceIdOf, traceParent } from "./traceparent.js";
import { type Span, type SpanOptions, useTracer } from "./tracing.js";

interface Recorded extends SpanOptions {
  readonly name: string;
  readonly parent: TraceParent;
  readonly own: TraceParent;
  readonly events: string[];
  ended: boolean;
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const ROOT = traceParent(TRACE, "b7ad6b7169203331", true);
const RUN = "01JABCDEFGHJKMNPQRSTVWXYZ0";
let spans: Recorded[] = [];
let bus: Bus;

function start(name: string, parent: TraceParent, options: SpanOptions): Span {
  const own = traceParent(traceIdOf(parent), (spans.length + 1).toString(16).padStart(16, "0"), true);
  const span: Recorded = { ...options, name, parent, own, events: [], ended: false };
  spans.push(span);
  return {
    traceparent: own,
    set: () => undefined,
    event: (event) => void span.events.push(event),
    fail: (error) => void span.events.push(`failed: ${error}`),
    end: () => {
      span.ended = true;
    },
  };
}

beforeEach(() => {
  spans = [];
  useTracer({ newRoot: () => ROOT, startRoot: start, startSpan: start });
  bus = observedBus(createMemoryBus({ maxMessages: 16, maxBytes: 2 ** 20 }), { system: "maskline_memory" });
});
afterEach(async () => {
  useTracer(undefined);
  await bus.close();
});

/** An asset of another run each time: a run's trace is remembered. */
let runs = 0;
function message(queue: string, headers: OutgoingMessage["headers"], suffix = ""): OutgoingMessage {
  const run = RUN.slice(0, -4) + String(runs).padStart(4, "0");
  return { queue, key: run, id: `${run}/1.0/7${suffix}`, headers, body: new Uint8Array(3) };
}
beforeEach(() => {
  runs += 1;
});

async function next(queue: string): Promise<Delivery> {
  return new Promise((resolve, reject) => {
    bus.consume(queue, { maxHeld: 4, maxHeldBytes: 1000, onFatal: reject }, resolve).catch(reject);
  });
}

test("what a step makes of a message is published below the message's own span, without being told", async () => {
  await bus.publish(message("filter", { traceparent: ROOT, baggage: "maskline.session=S%201" }));
  const delivery = await next("filter");
  await bus.publish(message("raster", {}, "/p0"));
  const output = await next("raster");
  await Promise.all([delivery.ack(), output.ack()]);

  assert.deepEqual(
    spans.map(({ name, kind, role }) => [name, kind, role]),
    [
      ["publish filter", "producer", "gateway"],
      ["process filter", "consumer", "filter"],
      ["publish raster", "producer", "filter"],
      ["process raster", "consumer", "rasterizer"],
    ],
  );
  const [first, ...others] = spans;
  assert.equal(first?.parent, ROOT);
  assert.deepEqual(
    others.map(({ parent }) => parent),
    spans.slice(0, -1).map(({ own }) => own),
  );
  assert.ok(spans.every(({ ended }) => ended));
  const attributes = spans[3]?.attributes ?? {};
  assert.equal(attributes["messaging.system"], "maskline_memory");
  assert.equal(attributes["messaging.destination.name"], "raster");
  assert.equal(attributes["messaging.message.conversation_id"], "S 1");
  assert.equal(attributes["messaging.message.id"], output.id);
  assert.equal(attributes["maskline.asset.index"], 7);
  assert.equal(spans[3]?.link, spans[2]?.own);
});

test("an asset that is not kept leaves no span, but its context goes on to the end", async () => {
  const context = { traceparent: traceParent(TRACE, "b7ad6b7169203331", false), baggage: "maskline.session=S" };
  const published = message("filter", context);
  await bus.publish(published);
  const delivery = await next("filter");
  assert.deepEqual(delivery.headers, context);
  await bus.publish(message("out.p1", {}, "/f"));
  const output = await next("out.p1");
  const { "server-timing": timing, ...headers } = output.headers;
  assert.deepEqual(headers, context);
  assert.match(timing ?? "", /^filter;dur=[\d.]+$/);
  await Promise.all([delivery.ack(), output.ack()]);
  assert.deepEqual(spans, []);
});

test("a message of a run that is not traced gets no header", async () => {
  await bus.publish(message("filter", {}));
  const delivery = await next("filter");
  await bus.publish(message("raster", {}, "/p0"));
  assert.deepEqual([delivery.headers, (await next("raster")).headers, spans], [{}, {}, []]);
});

test("a destination is named by its template, whichever packager it is", async () => {
  await bus.publish(message("out.packager-17", { traceparent: ROOT }));
  assert.equal(spans[0]?.name, "publish out.{packager}");
  assert.equal(spans[0]?.attributes?.["messaging.destination.template"], "out.{packager}");
  assert.equal(spans[0]?.attributes?.["messaging.destination.name"], "out.packager-17");
});

test("a context from outside that is none is passed on untouched", async () => {
  await bus.publish(message("filter", { traceparent: "00-evil" }));
  assert.equal((await next("filter")).headers.traceparent, "00-evil");
  assert.deepEqual(spans, []);
});

test("a message that is handed back ends its span; its next delivery has another", async () => {
  await bus.publish(message("filter", { traceparent: ROOT }));
  const deliveries: Delivery[] = [];
  const twice = new Promise<void>((resolve, reject) => {
    const deliver = (delivery: Delivery) => {
      deliveries.push(delivery);
      if (deliveries.length === 2) resolve();
      else void delivery.retry(0);
    };
    bus.consume("filter", { maxHeld: 1, maxHeldBytes: 1000, onFatal: reject }, deliver).catch(reject);
  });
  await twice;
  const processed = spans.filter(({ name }) => name === "process filter");
  assert.deepEqual(
    processed.map(({ ended, attributes }) => [ended, attributes?.["maskline.attempt"]]),
    [
      [true, 1],
      [false, 2],
    ],
  );
  await deliveries[1]?.ack();
  assert.ok(processed.every(({ ended }) => ended));
});

test("what is still held when the consumption is released ends its span", async () => {
  await bus.publish(message("filter", { traceparent: ROOT }));
  const held: Delivery[] = [];
  const consumption = await bus.consume("filter", { maxHeld: 1, maxHeldBytes: 1000, onFatal: assert.fail }, (one) => held.push(one));
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await consumption.release();
  const span = spans.find(({ name }) => name === "process filter");
  assert.deepEqual([span?.ended, span?.events], [true, ["handed back"]]);
});

test("a publish that fails is a failed span, and fails for its caller as it did", async () => {
  const failure = new Retry("the bus is away");
  const broken = observedBus(
    { ...createMemoryBus({ maxMessages: 1, maxBytes: 1 }), publish: () => Promise.reject(failure) },
    { system: "nats" },
  );
  await assert.rejects(broken.publish(message("filter", { traceparent: ROOT })), (error) => error === failure);
  assert.deepEqual(spans[0]?.events, ["failed: Retry: the bus is away"]);
  assert.ok(spans[0]?.ended);
});

test("a step's stages are spans of its message, and a failed try is an event without the secrets of its text", async () => {
  const published = message("raster", { traceparent: ROOT });
  await bus.publish(published);
  const delivery = await next("raster");
  const stages = [{ stage: "paint", startMs: 1000, endMs: 1003 }];
  const input = { ...delivery, attempt: 1 };
  const signal = new AbortController().signal;
  const failing = observedStep("raster", () => Promise.reject(new Error("GET https://u:p@h/x?X-Amz-Signature=canary failed")));
  await assert.rejects(failing(input, signal));
  await observedStep("raster", async () => [{ queue: "out.p", suffix: "/m", body: new Uint8Array(0), stages }])(input, signal);
  const [, process, paint] = spans;
  assert.deepEqual(process?.events, ["work begins", "exception"]);
  assert.deepEqual([paint?.name, paint?.parent, paint?.startMs, paint?.role], ["paint", process?.own, 1000, "rasterizer"]);
  await delivery.ack();
});

test("a log line about a message names run, asset, session and trace", async () => {
  const published = message("filter", { traceparent: ROOT, baggage: "maskline.session=S" });
  await bus.publish(published);
  const delivery = await next("filter");
  const fields = logFields({ id: delivery.id });
  assert.deepEqual({ ...fields, span_id: undefined }, { run: published.key, asset: 7, session: "S", trace_id: TRACE, span_id: undefined });
  assert.ok(isSampled(spans[1]?.own ?? ""));
  assert.equal(fields.span_id, spans[1]?.own.slice(36, 52));
  assert.deepEqual(logFields({ run: "unknown" }), {});
  assert.deepEqual(logFields({ what: 1 }), {});
  await delivery.ack();
});
