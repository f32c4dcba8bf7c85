/**
 * The REST connector's server (docs/hub-protocol.md section 3): Hub calls `GET /heartbeat` and `POST /plugin`. A session is answered 200
 * once it is durably accepted; only the result call tells how it ended.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describeError } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import type { Reporter } from "./http-reporter.js";

export interface HubServerOptions {
  readonly listenHost: string;
  readonly port: number;
  readonly pluginSecret: string;
  readonly reporter: Reporter;
  readonly log: Logger;
  /** Told the port once it listens (0 in the options: any free one). */
  readonly onListening?: (port: number) => void;
}

const MAX_BODY_BYTES = 2 ** 20;
const BODY_TIMEOUT_MS = 30_000;
/** For requests under way when we stop. */
const FINISH_MS = 500;

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export function createHubServer(options: HubServerOptions): Connector {
  const { reporter, log } = options;
  let accept: (payload: unknown) => Promise<void> = async () => {};
  const server = createServer({ requestTimeout: BODY_TIMEOUT_MS, headersTimeout: BODY_TIMEOUT_MS }, (request, response) => {
    reply(request, options, accept)
      .catch((error: unknown) => {
        log.error({ error: describeError(error) }, "a request of Hub failed");
        return { status: 500, body: { detail: "Internal Server Error" } };
      })
      .then((answer) => send(request, response, answer));
  });

  return {
    start(onPayload) {
      accept = onPayload;
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(options.port, options.listenHost, () => {
          server.off("error", reject);
          server.on("error", (error) => log.error({ error: describeError(error) }, "Hub's connection could not be taken"));
          const address = server.address();
          if (typeof address === "object" && address) options.onListening?.(address.port);
          resolve();
        });
      });
    },
    connected: () => server.listening,
    log: reporter.log,
    answer: reporter.answer,
    async stop() {
      reporter.stop();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // A session that is being accepted is still acknowledged.
        setTimeout(() => server.closeAllConnections(), FINISH_MS).unref();
      });
    },
  };
}

/** The secret is checked before anything of the body is read. */
async function reply(
  request: IncomingMessage,
  { pluginSecret }: HubServerOptions,
  accept: (payload: unknown) => Promise<void>,
): Promise<Reply> {
  const path = (request.url ?? "").split("?")[0];
  const method = { "/heartbeat": "GET", "/plugin": "POST" }[path ?? ""];
  if (method === undefined) return { status: 404, body: { detail: "Not Found" } };
  if (request.method !== method) return { status: 405, body: { detail: "Method Not Allowed" } };
  if (!isSecret(request.headers.secret, pluginSecret)) return { status: 401, body: { detail: "Unauthorized" } };
  if (path === "/heartbeat") return { status: 200, body: "ok" };
  const text = await readBody(request);
  if (text === undefined) return { status: 413, body: { detail: `the body is larger than ${MAX_BODY_BYTES} bytes` } };
  if (!/\bjson\b/i.test(request.headers["content-type"] ?? ""))
    return { status: 422, body: { detail: "the body must be application/json" } };
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    return { status: 422, body: { detail: "the body is not JSON" } };
  }
  await accept(payload);
  return { status: 200, body: null };
}

/** Compared in constant time, whatever the lengths. */
function isSecret(given: string | string[] | undefined, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return typeof given === "string" && timingSafeEqual(digest(given), digest(secret));
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Reply): void {
  const unread = !request.complete;
  response.writeHead(status, { "content-type": "application/json", ...(unread ? { connection: "close" } : {}) });
  response.end(JSON.stringify(body));
}
