/** The probes of a process over plain HTTP, on a port of their own: /livez and /readyz, and its figures: /metrics. They never depend on TLS or a broker. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describeError, Fatal } from "./errors.js";
import { EXPOSITION_TYPE } from "./telemetry/exposition.js";

export interface HealthOptions {
  /** Undefined when ready to work, else what it waits for. */
  readonly notReady: () => string | undefined;
  /** All figures of the process, as GET /metrics shows them; undefined: there is no such path. */
  readonly metrics?: () => Promise<string>;
  /** The address to listen on. Undefined: all, for probes come from outside the container. */
  readonly host?: string;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A probe is a few hundred bytes on a connection or two; whoever wants more gets cut off. */
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8 * 2 ** 10;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Serves GET /livez (200 while the event loop turns), GET /readyz (200, or 503 with the reason) and, for Prometheus, GET /metrics; anything
 * else is 404.
 * @param port 0: a free one.
 * @throws Fatal when the port can not be had.
 */
export async function serveHealth(port: number, { notReady, metrics, host }: HealthOptions): Promise<HealthServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    },
    (request, response) => answer(request, response, notReady, metrics),
  );
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Fatal(`the health port ${port} can not be served; set HEALTH_PORT to another one, or to 0 for a free one`, { cause })),
    );
    server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  notReady: HealthOptions["notReady"],
  metrics: HealthOptions["metrics"],
): void {
  const path = request.method === "GET" ? request.url?.split("?", 1)[0] : undefined;
  if (path === "/livez") respond(response, 200, "ok");
  else if (path === "/readyz") {
    const reason = reasonOf(notReady);
    respond(response, reason === undefined ? 200 : 503, reason ?? "ok");
  } else if (path === "/metrics" && metrics) {
    metrics().then(
      (text) => respond(response, 200, text.trimEnd(), EXPOSITION_TYPE),
      (error: unknown) => respond(response, 500, `the figures can not be collected: ${describeError(error)}`),
    );
  } else respond(response, 404, `not found; there are /livez${metrics ? ", /metrics" : ""} and /readyz`);
  // A body is of no interest. It is not waited for: the connection ends instead.
  if (request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined) {
    response.once("finish", () => request.destroy());
  }
}

function reasonOf(notReady: () => string | undefined): string | undefined {
  try {
    return notReady();
  } catch (error) {
    return `whether it is ready can not be told: ${describeError(error)}`;
  }
}

function respond(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(`${text}\n`);
}
