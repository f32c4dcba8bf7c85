/** What an OpenTelemetry collector is to its senders: takes spans and metrics over HTTP in JSON, and keeps them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** As in OpenTelemetry's protocol: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly service: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** The text of an error; undefined: it has not failed. */
  readonly error: string | undefined;
}

export interface OtlpReceiver {
  readonly url: string;
  /** The environment of a process that sends everything here, soon. */
  readonly env: Readonly<Record<string, string>>;
  readonly spans: readonly ReceivedSpan[];
  /** Names of the metrics that had figures. */
  readonly metrics: ReadonlySet<string>;
  /** Everything as it came. */
  readonly bodies: readonly string[];
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly Attribute[] }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface WireResource {
  readonly resource: { readonly attributes: readonly Attribute[] };
  readonly scopeSpans?: readonly { readonly spans: readonly WireSpan[] }[];
  readonly scopeMetrics?: readonly { readonly metrics: readonly { readonly name: string }[] }[];
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics = new Set<string>();
  const bodies: string[] = [];
  const take = (resource: WireResource) => {
    spans.push(...spansOf(resource));
    for (const scope of resource.scopeMetrics ?? []) for (const { name } of scope.metrics) metrics.add(name);
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    bodies.push(body);
    const parsed = JSON.parse(body) as { resourceSpans?: WireResource[]; resourceMetrics?: WireResource[] };
    for (const one of parsed.resourceSpans ?? parsed.resourceMetrics ?? []) take(one);
    response.writeHead(200, { "content-type": "application/json" });
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_METRIC_EXPORT_INTERVAL: "60000",
    },
    spans,
    metrics,
    bodies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function spansOf({ resource, scopeSpans = [] }: WireResource): ReceivedSpan[] {
  const service = String(valuesOf(resource.attributes)["service.name"]);
  return scopeSpans.flatMap((scope) => scope.spans.map((span) => received(span, service)));
}

function received(span: WireSpan, service: string): ReceivedSpan {
  const { traceId, spanId, parentSpanId, name, kind, links = [], events = [], status } = span;
  return {
    ...{ traceId, spanId, name, kind, service, links },
    parentSpanId: parentSpanId || undefined,
    startMs: milliseconds(span.startTimeUnixNano),
    endMs: milliseconds(span.endTimeUnixNano),
    attributes: valuesOf(span.attributes),
    events: events.map((event) => ({ name: event.name, attributes: valuesOf(event.attributes ?? []) })),
    error: status?.code === 2 ? (status.message ?? "") : undefined,
  };
}

function milliseconds(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1000n) / 1000;
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  // Whole numbers of 64 bits are text in Protobuf's JSON.
  const plain = (value: Attribute["value"]) => ("intValue" in value ? Number(value.intValue) : Object.values(value)[0]);
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

/** The spans of one trace, with what is asked of a whole one. */
export class Trace {
  readonly #byId: ReadonlyMap<string, ReceivedSpan>;

  constructor(readonly spans: readonly ReceivedSpan[]) {
    this.#byId = new Map(spans.map((span) => [span.spanId, span]));
  }

  parentOf(span: ReceivedSpan): ReceivedSpan | undefined {
    return span.parentSpanId === undefined ? undefined : this.#byId.get(span.parentSpanId);
  }

  roots(): readonly ReceivedSpan[] {
    return this.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  }

  /** Those whose parent is not there. */
  orphans(): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.parentSpanId !== undefined && !this.parentOf(span));
  }

  named(name: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** `parent's role: name -> child's role: name`, each once, where the roles differ. */
  edges(): ReadonlySet<string> {
    const role = (span: ReceivedSpan) => String(span.attributes["maskline.role"]);
    return new Set(
      this.spans.flatMap((span) => {
        const parent = this.parentOf(span);
        return parent && role(parent) !== role(span) ? [`${role(parent)}: ${parent.name} -> ${role(span)}: ${span.name}`] : [];
      }),
    );
  }
}

/** One trace for each id. */
export function tracesOf(spans: readonly ReceivedSpan[]): readonly Trace[] {
  return [...new Set(spans.map(({ traceId }) => traceId))].map((id) => new Trace(spans.filter(({ traceId }) => traceId === id)));
}
