/** Answers of the simulated Hub, and what a test may do to them. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

/** Every kind of request that the simulated Hub knows. `download`: the export's zip; `archive`: what a plugin uploaded. */
export type RequestName =
  | "export"
  | "project"
  | "getUploadUrl"
  | "getSignedUrl"
  | "pluginLog"
  | "pluginResponse"
  | "image"
  | "download"
  | "upload"
  | "archive";

/**
 * What happens to a request instead of its normal answer: another answer, a TCP reset, silence until the simulator closes, or `cut`: the
 * normal answer's headers and the first half of its body, then a reset.
 */
export type Fault =
  | "reset"
  | "hang"
  | "cut"
  | { readonly status: number; readonly body?: string | Buffer | object; readonly headers?: Readonly<Record<string, string>> };

/** One request on its way through the simulator. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The answer breaks off in its middle. */
  readonly cut: boolean;
}

/** Answers with a whole body; reads the rest of the request's body away first, so that the client can read the answer. */
export function sendBody({ request, response, cut }: Exchange, status: number, headers: Record<string, string>, body: Buffer): void {
  request.resume();
  response.writeHead(status, { ...headers, "Content-Length": String(body.length) });
  if (cut) response.write(body.subarray(0, body.length >> 1), () => request.socket.resetAndDestroy());
  else response.end(body);
}

/** Answers with a JSON body. */
export function sendJson(exchange: Exchange, status: number, body: unknown): void {
  sendBody(exchange, status, { "Content-Type": "application/json" }, Buffer.from(JSON.stringify(body)));
}

/** Success as Hub writes it: `{status: "success", data}`. */
export function sendData(exchange: Exchange, status: number, data: unknown): void {
  sendJson(exchange, status, { status: "success", data });
}

/** Failure as Hub writes it: `{status: "fail" | "error", message}`. */
export function sendFailure(exchange: Exchange, status: number, message: string): void {
  sendJson(exchange, status, { status: status >= 500 ? "error" : "fail", message });
}

/** Answers with a fault that a test injected. */
export function sendFault(exchange: Exchange, fault: Exclude<Fault, "cut">): void {
  if (fault === "hang") return;
  if (fault === "reset") {
    exchange.request.socket.resetAndDestroy();
    return;
  }
  const { status, body = "", headers = {} } = fault;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const type = typeof body === "string" ? "text/plain" : "application/json";
  sendBody(exchange, status, { "Content-Type": Buffer.isBuffer(body) ? "application/octet-stream" : type, ...headers }, bytes);
}

/** Answers with a file, or with the part of it that a `Range: bytes=first-last` header asks for. */
export async function sendFile({ request, response, cut }: Exchange, file: string, headers: Record<string, string>): Promise<void> {
  request.resume();
  const { size } = await stat(file);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  const first = range ? Number(range[1]) : 0;
  const last = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  if (range && first >= size) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  const length = last - first + 1;
  response.writeHead(range ? 206 : 200, {
    ...headers,
    "Accept-Ranges": "bytes",
    "Content-Length": String(length),
    ...(range ? { "Content-Range": `bytes ${first}-${last}/${size}` } : {}),
  });
  if (length === 0 || request.method === "HEAD") {
    response.end();
    return;
  }
  const end = cut ? first + (length >> 1) - 1 : last;
  // A client that goes away in the middle is its own business.
  await pipeline(createReadStream(file, { start: first, end: Math.max(first, end) }), response, { end: !cut }).catch(() => undefined);
  if (cut) response.write("", () => request.socket.resetAndDestroy());
}
