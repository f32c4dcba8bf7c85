/**
 * OpenTelemetry's SDK behind our own tracer and metrics: the only import of it. Configured by OpenTelemetry's own OTEL_* variables, and loaded
 * only when they ask for it (start.ts), for it takes about 100 ms and 20 MB. It patches nothing, and keeps no context in async hooks.
 */
import { randomBytes, randomUUID } from "node:crypto";
import {
  type Span as ApiSpan,
  type Tracer as ApiTracer,
  type ContextManager,
  type DiagLogger,
  DiagLogLevel,
  diag,
  isSpanContextValid,
  metrics as metricsApi,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { NodeSDK, resources, type tracing } from "@opentelemetry/sdk-node";
import { describeError } from "../errors.js";
import { inTime } from "../in-time.js";
import type { Logger } from "../log.js";
import { metrics } from "./metrics.js";
import type { Metric } from "./registry.js";
import { isSampled, spanIdOf, type TraceParent, traceIdOf, traceParent } from "./traceparent.js";
import { type Attributes, errorType, type Span, type SpanOptions, shownText, type Tracer, useTracer } from "./tracing.js";

export interface SdkOptions {
  /** `service.name`; undefined: the environment names it. */
  readonly serviceName: string | undefined;
  readonly version: string;
  /** Whether the environment says where to. */
  readonly traces: boolean;
  readonly metrics: boolean;
  /** Told what the SDK complains of. */
  readonly log: Pick<Logger, "warn">;
}

/** What can not be sent in this time when the process ends is lost. */
const FLUSH_MS = 5_000;
/** The SDK complains each time that it can not send; once in a while is enough. */
const COMPLAIN_EVERY_MS = 60_000;

/**
 * Starts exporting. Returns how to end it: what was recorded is sent, for at most 5 s. Only one at a time.
 * @throws what the SDK throws for variables that it can not use.
 */
export function startSdk(options: SdkOptions): () => Promise<void> {
  diag.setLogger(complainingTo(options.log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const ids = new Ids();
  const sdk = new NodeSDK({
    idGenerator: ids,
    contextManager: noContextManager,
    // Contexts travel as the text that they are (messaging.ts, grpc.ts).
    textMapPropagator: null,
    // Not what the process was started with: a command line is nobody's business.
    resourceDetectors: [resources.envDetector, resources.hostDetector],
    resource: resources.defaultResource().merge(
      resources.resourceFromAttributes({
        "service.version": options.version,
        "service.instance.id": randomUUID(),
        ...(options.serviceName === undefined ? {} : { "service.name": options.serviceName }),
      }),
    ),
    logRecordProcessors: [],
    ...(options.traces ? {} : { spanProcessors: [] }),
    ...(options.metrics ? {} : { metricReaders: [] }),
  });
  sdk.start();
  useTracer(tracerOn(trace.getTracer("maskline", options.version), ids));
  const endMetrics = exportMetrics(options.version);

  return async () => {
    useTracer(undefined);
    const flushed = sdk.shutdown().catch((error: unknown) => options.log.warn({ error: describeError(error) }, "telemetry is lost"));
    if (!(await inTime(flushed, FLUSH_MS))) options.log.warn({}, "telemetry could not be sent in time; it is lost");
    endMetrics();
    trace.disable();
    metricsApi.disable();
    diag.disable();
  };
}

/** Spans name their parent themselves. */
const noContextManager: ContextManager = {
  active: () => ROOT_CONTEXT,
  with: (_context, work, thisArg, ...args) => work.call(thisArg as ThisParameterType<typeof work>, ...args),
  bind: (_context, target) => target,
  enable: () => noContextManager,
  disable: () => noContextManager,
};

function complainingTo(log: Pick<Logger, "warn">): DiagLogger {
  const saidAt = new Map<string, number>();
  const say = (message: string, ...details: unknown[]) => {
    const now = performance.now();
    if (now - (saidAt.get(message) ?? Number.NEGATIVE_INFINITY) < COMPLAIN_EVERY_MS) return;
    if (saidAt.size > 100) saidAt.clear();
    saidAt.set(message, now);
    log.warn({ details: details.map(describeError) }, `OpenTelemetry: ${message.slice(0, 500)}`);
  };
  return { error: say, warn: say, info: () => undefined, debug: () => undefined, verbose: () => undefined };
}

/** Random ids, or those that a session's root span must have, which may have been chosen by an earlier process. */
class Ids implements tracing.IdGenerator {
  #next: SpanContext | undefined;

  readonly generateTraceId = () => this.#next?.traceId ?? randomBytes(16).toString("hex");
  readonly generateSpanId = () => this.#next?.spanId ?? randomBytes(8).toString("hex");

  /** The one span that is started in `start` has these ids. */
  giving(next: SpanContext, start: () => ApiSpan): ApiSpan {
    this.#next = next;
    try {
      return start();
    } finally {
      this.#next = undefined;
    }
  }
}

function tracerOn(tracer: ApiTracer, ids: Ids): Tracer {
  return {
    newRoot() {
      // Never ended, and so never exported: only the sampler's decision is asked for. It depends on the ids alone.
      const { traceId, spanId, traceFlags } = tracer.startSpan("session", { root: true }).spanContext();
      const isKept = isSpanContextValid({ traceId, spanId, traceFlags }) && (traceFlags & TraceFlags.SAMPLED) !== 0;
      return isKept ? traceParent(traceId, spanId, true) : undefined;
    },
    startRoot: (name, root, options) =>
      started(
        ids.giving(contextOf(root), () => tracer.startSpan(name, { ...startOptions(options), root: true }, ROOT_CONTEXT)),
        options,
      ),
    startSpan: (name, parent, options) =>
      started(tracer.startSpan(name, startOptions(options), trace.setSpanContext(ROOT_CONTEXT, contextOf(parent))), options),
  };
}

function contextOf(parent: TraceParent): SpanContext {
  const traceFlags = isSampled(parent) ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId: traceIdOf(parent), spanId: spanIdOf(parent), traceFlags, isRemote: true };
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

function startOptions({ role, kind = "internal", attributes, startMs, link }: SpanOptions) {
  return {
    kind: KINDS[kind],
    attributes: { "maskline.role": role, ...shown(attributes) },
    ...(startMs === undefined ? {} : { startTime: startMs }),
    ...(link === undefined ? {} : { links: [{ context: contextOf(link) }] }),
  };
}

function started(span: ApiSpan, { startMs }: SpanOptions): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: traceParent(traceId, spanId, (traceFlags & TraceFlags.SAMPLED) !== 0),
    set: (attributes) => void span.setAttributes(shown(attributes)),
    event: (name, attributes, atMs) => void span.addEvent(name, shown(attributes), atMs),
    fail(error) {
      const message = shownText(describeError(error));
      span.setAttribute("error.type", errorType(error));
      span.setStatus({ code: SpanStatusCode.ERROR, message });
    },
    // Whoever gave the begin may have done so to the microsecond; the SDK would take the present millisecond for the end.
    end: (endMs) => span.end(startMs === undefined ? endMs : Math.max(startMs, endMs ?? Date.now())),
  };
}

/** As spans may show them; those without a value are left out. */
function shown(attributes: Attributes | undefined): Record<string, string | number | boolean> {
  const safe: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined) safe[name] = typeof value === "string" ? shownText(value) : value;
  }
  return safe;
}

/** Hands our metrics on: sums and gauges when they are collected, every figure of a histogram as it comes. Returns how to end it. */
function exportMetrics(version: string): () => void {
  const meter = metricsApi.getMeter("maskline", version);
  for (const metric of metrics()) {
    const { name, unit, help: description } = metric;
    if (metric.kind === "histogram") {
      const advice = { explicitBucketBoundaries: [...(metric.boundaries ?? [])] };
      const histogram = meter.createHistogram(name, { unit, description, advice });
      // Each figure comes with the attributes of its series, always the same object.
      const known = new WeakMap<object, Record<string, string>>();
      metric.forward((value, attributes) => {
        const shown = known.get(attributes) ?? given(attributes);
        known.set(attributes, shown);
        histogram.record(value, shown);
      });
    } else {
      const observable = observableOf(meter, metric.kind, name, { unit, description });
      observable.addCallback(async (result) => {
        const { kind, points } = await metric.collect();
        if (kind !== "histogram") for (const { value, attributes } of points) result.observe(value, given(attributes));
      });
    }
  }
  return () => {
    for (const metric of metrics()) metric.forward(undefined);
  };
}

function observableOf(meter: ReturnType<typeof metricsApi.getMeter>, kind: Metric["kind"], name: string, options: object) {
  switch (kind) {
    case "counter":
      return meter.createObservableCounter(name, options);
    case "upDownCounter":
      return meter.createObservableUpDownCounter(name, options);
    default:
      return meter.createObservableGauge(name, options);
  }
}

/** An attribute without a value is none: of what succeeded there is no error.type. */
function given(attributes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ""));
}
