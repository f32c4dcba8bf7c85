/**
 * What processes have counted to their very end: an OpenTelemetry collector that they send their figures to when they stop. A process that is
 * killed sends nothing.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface FinalCounts {
  /** The environment of the processes. */
  readonly env: Readonly<Record<string, string>>;
  /** Messages of a queue that were published, delivered (again, too), and worked on to their acknowledgement; by all processes together. */
  of(queue: string): { readonly sent: number; readonly delivered: number; readonly redelivered: number; readonly settled: number };
  /** Processes that have sent their figures. */
  readonly processes: number;
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}
interface Point {
  readonly attributes?: readonly Attribute[];
  /** Of sums. */
  readonly asDouble?: number;
  readonly asInt?: number | string;
  /** Of histograms. */
  readonly count?: number | string;
}
interface WireMetrics {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly Point[] };
        readonly histogram?: { readonly dataPoints: readonly Point[] };
      }[];
    }[];
  }[];
}

const COUNTED = {
  "messaging.client.sent.messages": "sent",
  "messaging.client.consumed.messages": "delivered",
  "maskline.messages.redelivered": "redelivered",
  "messaging.process.duration": "settled",
} as const;
type Counted = (typeof COUNTED)[keyof typeof COUNTED];

export async function countToTheEnd(): Promise<FinalCounts> {
  /** By process and then by queue and what is counted: cumulative, so the last one told counts. */
  const told = new Map<string, Map<string, number>>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    take(JSON.parse(Buffer.concat(chunks).toString("utf8")) as WireMetrics, told);
    response.writeHead(200, { "content-type": "application/json" });
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sum = (queue: string, counted: Counted) =>
    [...told.values()].reduce((total, counts) => total + (counts.get(`${counted} ${queue}`) ?? 0), 0);
  return {
    env: {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`,
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/json",
      OTEL_METRIC_EXPORT_INTERVAL: "3600000",
    },
    of: (queue) => ({
      sent: sum(queue, "sent"),
      delivered: sum(queue, "delivered"),
      redelivered: sum(queue, "redelivered"),
      settled: sum(queue, "settled"),
    }),
    get processes() {
      return told.size;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function take({ resourceMetrics }: WireMetrics, told: Map<string, Map<string, number>>): void {
  for (const { resource, scopeMetrics } of resourceMetrics) {
    const counts = new Map<string, number>();
    for (const { name, sum, histogram } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      const counted = COUNTED[name as keyof typeof COUNTED];
      if (counted === undefined) continue;
      for (const point of (sum ?? histogram)?.dataPoints ?? []) {
        const attributes = new Map(point.attributes?.map(({ key, value }) => [key, value.stringValue ?? ""]));
        // What failed was neither sent nor settled.
        if (attributes.get("error.type")) continue;
        const key = `${counted} ${attributes.get("messaging.destination.template")}`;
        counts.set(key, (counts.get(key) ?? 0) + Number(point.asDouble ?? point.asInt ?? point.count ?? 0));
      }
    }
    const instance = resource.attributes.find(({ key }) => key === "service.instance.id")?.value.stringValue ?? "";
    told.set(instance, counts);
  }
}
