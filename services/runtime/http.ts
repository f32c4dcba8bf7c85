/**
 * The HTTP exchanges we need: JSON calls, a download to a file, an upload from a file, and pieces of files that an export names. The only
 * import of undici.
 *
 * Every wait is bounded, redirects are followed by hand (five at the most), and what is thrown is an HttpFailure without secrets, the
 * signal's reason, or the error of the local file.
 */
import { createReadStream } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { Readable } from "node:stream";
import { Agent, buildConnector, type Dispatcher, request as send } from "undici";
import { complaintOf, HttpFailure, nameOf, parseRetryAfter } from "./http-failure.js";
import { LocalFileError, local, type Watch, watched } from "./http-watch.js";
import { checkedLookup } from "./lookup.js";

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
const COMPLAINT_BYTES = 4096;

// HTTP/1.1 only: presigned uploads want a plain Content-Length. Timeouts are ours (`watch`), undici's are coarse.
const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, headersTimeout: 0, bodyTimeout: 0, allowH2: false });

type Headers = Readonly<Record<string, string>>;

interface Exchange {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly headers: Headers;
  /** A fresh body for each hop. */
  readonly body?: () => string | Readable;
  /** Which statuses are followed to their Location. */
  readonly followed: readonly number[];
  /** Whether a redirect may lead to another origin. */
  readonly anyOrigin: boolean;
}

const REDIRECTS_OF_GET = [301, 302, 303, 307, 308];
/** Those that repeat method and body (RFC 9110 section 15.4). */
const REDIRECTS_WITH_BODY = [307, 308];

export interface JsonRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Headers;
  /** Sent as JSON when present. */
  readonly body?: unknown;
  /** For the whole exchange. */
  readonly timeoutMs: number;
  /** A longer answer is refused. */
  readonly maxBodyBytes: number;
}

export interface JsonResponse {
  readonly status: number;
  /** The parsed body; the text itself when it is not JSON. */
  readonly body: unknown;
  readonly retryAfterMs: number | undefined;
}

/**
 * One call with a JSON answer; every status is an answer. The headers may hold a key, so a redirect is followed within the same origin only.
 * @throws HttpFailure (network, timeout, too large, or status for a redirect elsewhere), or the signal's reason.
 */
export async function requestJson(request: JsonRequest, signal: AbortSignal): Promise<JsonResponse> {
  const { method, url, body, timeoutMs, maxBodyBytes } = request;
  const target = nameOf(method, url);
  const headers = body === undefined ? request.headers : { ...request.headers, "content-type": "application/json" };
  const exchange: Exchange = {
    method,
    url,
    headers,
    followed: method === "GET" ? REDIRECTS_OF_GET : REDIRECTS_WITH_BODY,
    anyOrigin: false,
    ...(body === undefined ? {} : { body: () => JSON.stringify(body) }),
  };
  return await watched(target, timeoutMs, signal, async (watch) => {
    const response = await follow(exchange, watch.signal);
    const text = await readText(response, target, maxBodyBytes);
    return { status: response.statusCode, body: parseJsonOr(text), retryAfterMs: parseRetryAfter(header(response, "retry-after")) };
  });
}

export interface TransferOptions {
  /** So long may pass without a byte. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Downloads to a file (mode 0600, replaced), without headers of ours but `Accept-Encoding: identity`; gives the number of bytes. What
 * arrived is checked against Content-Length. On failure the file is removed.
 * @throws HttpFailure (any kind; status: not a 2xx), the file's own error, or the signal's reason.
 */
export async function downloadToFile(
  url: string,
  file: string,
  { maxBytes, timeoutMs, signal }: TransferOptions & { readonly maxBytes: number },
): Promise<number> {
  const target = nameOf("GET", url);
  const headers = { "accept-encoding": "identity" };
  const handle = await open(file, "w", 0o600);
  try {
    return await watched(target, timeoutMs, signal, async (watch) => {
      const response = await follow({ method: "GET", url, headers, followed: REDIRECTS_OF_GET, anyOrigin: true }, watch.signal);
      if (response.statusCode < 200 || response.statusCode > 299) throw await statusFailure(response, target);
      return await saveBody(response, handle, { target, maxBytes, watch });
    });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

export interface PutResponse {
  readonly status: number;
  /** What the storage said, short and without secrets, such as `AccessDenied: Request has expired`. */
  readonly complaint: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * Uploads a file to a presigned URL: Content-Length and nothing else, for any header more may break the signature; 307 and 308 are
 * followed with the body. Every status is an answer.
 * @throws HttpFailure (network, timeout), the file's own error, or the signal's reason.
 */
export async function putFile(url: string, file: string, { timeoutMs, signal }: TransferOptions): Promise<PutResponse> {
  const target = nameOf("PUT", url);
  const { size } = await stat(file);
  const streams: Readable[] = [];
  try {
    return await watched(target, timeoutMs, signal, async (watch) => {
      const body = () => {
        if (size === 0) return "";
        const stream = Readable.from(fileBytes(file, size, watch), { objectMode: false });
        streams.push(stream);
        return stream;
      };
      const headers = { "content-length": String(size) };
      const response = await follow({ method: "PUT", url, headers, body, followed: REDIRECTS_WITH_BODY, anyOrigin: true }, watch.signal);
      const retryAfterMs = parseRetryAfter(header(response, "retry-after"));
      return { status: response.statusCode, complaint: complaintOf(await readBeginning(response)), retryAfterMs };
    });
  } finally {
    for (const stream of streams) stream.destroy();
  }
}

/** One answer; a redirect is an answer too. */
export interface HttpAnswer {
  readonly status: number;
  /** The first value of a header, by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** Whoever stops reading it closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** For a body that nobody reads. */
  readonly discard: () => void;
}

/** GETs over connections of their own, each of which is checked before it is made. */
export interface CheckedHttp {
  /** One hop. Throws whatever the connection threw: to be called in `watched`. */
  get(url: string, headers: Headers, signal: AbortSignal): Promise<HttpAnswer>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** @param check throws for an IP address that may not be connected to; asked about the very address that is then dialled */
export function createCheckedHttp(check: (address: string) => void): CheckedHttp {
  const dial = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: checkedLookup(check) } as buildConnector.BuildOptions);
  const dispatcher = new Agent({
    connect: (options, callback) => {
      try {
        // Only names are looked up.
        if (isIP(options.hostname) !== 0) check(options.hostname);
      } catch (error) {
        callback(error as Error, null);
        return;
      }
      dial(options, callback);
    },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });
  return {
    async get(url, headers, signal) {
      const response = await send(url, { method: "GET", headers, signal, dispatcher });
      return {
        status: response.statusCode,
        header: (name) => header(response, name),
        body: response.body,
        // Destroyed unread, it reports that as an error.
        discard: () => void response.body.on("error", () => {}).destroy(),
      };
    },
    close: () => dispatcher.destroy(),
  };
}

/** Reads the file as long as it was when its length was announced, and counts every chunk taken as life. */
async function* fileBytes(file: string, size: number, watch: Watch): AsyncGenerator<Buffer> {
  const chunks = createReadStream(file, { end: size - 1, highWaterMark: 256 * 1024 });
  try {
    for await (const chunk of chunks) {
      watch.touch();
      yield chunk;
    }
  } catch (error) {
    throw new LocalFileError("the local file failed", { cause: error });
  }
}

/** Sends the request, and again where its answers redirect it to. */
async function follow(exchange: Exchange, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { method, headers, followed, anyOrigin } = exchange;
  for (let url = exchange.url, hops = 0; ; hops += 1) {
    const body = exchange.body?.();
    const response = await send(url, { method, headers, signal, dispatcher: agent, ...(body === undefined ? {} : { body }) });
    const location = header(response, "location");
    if (location === undefined || !followed.includes(response.statusCode)) return response;
    await response.body.dump({ limit: COMPLAINT_BYTES });
    const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
    const problem = redirectProblem(next, { from: url, hops, anyOrigin });
    if (next === undefined || problem !== undefined) {
      throw new HttpFailure({
        kind: "status",
        target: nameOf(method, url),
        detail: `HTTP ${response.statusCode}, ${problem}`,
        status: response.statusCode,
      });
    }
    url = next.href;
  }
}

function redirectProblem(
  next: URL | undefined,
  { from, hops, anyOrigin }: { from: string; hops: number; anyOrigin: boolean },
): string | undefined {
  if (next === undefined || !["http:", "https:"].includes(next.protocol)) return "a redirect to something that is not an http(s) URL";
  if (hops >= MAX_REDIRECTS) return `more than ${MAX_REDIRECTS} redirects`;
  if (!anyOrigin && next.origin !== new URL(from).origin) {
    return `a redirect to another origin (${next.origin}), which is not followed because the call carries a key`;
  }
  return undefined;
}

async function saveBody(
  response: Dispatcher.ResponseData,
  handle: FileHandle,
  { target, maxBytes, watch }: { target: string; maxBytes: number; watch: Watch },
): Promise<number> {
  const tooLarge = () => new HttpFailure({ kind: "too large", target, detail: `it is larger than ${maxBytes} bytes` });
  const announced = header(response, "content-length");
  if (announced !== undefined && Number(announced) > maxBytes) {
    // Destroyed unread, it reports that as an error.
    response.body.on("error", () => {}).destroy();
    throw tooLarge();
  }
  let bytes = 0;
  for await (const chunk of response.body) {
    watch.touch();
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    await local(handle.writeFile(chunk));
  }
  if (announced !== undefined && Number(announced) !== bytes) {
    throw new HttpFailure({ kind: "network", target, detail: `it was cut short: ${bytes} of ${announced} bytes came` });
  }
  return bytes;
}

async function readText(response: Dispatcher.ResponseData, target: string, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new HttpFailure({ kind: "too large", target, detail: `the answer is larger than ${maxBytes} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The beginning of a body that only explains a status; that it breaks off does not matter. */
async function readBeginning(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= COMPLAINT_BYTES) break;
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).toString("utf8", 0, COMPLAINT_BYTES);
}

async function statusFailure(response: Dispatcher.ResponseData, target: string): Promise<HttpFailure> {
  const status = response.statusCode;
  const complaint = complaintOf(await readBeginning(response));
  const detail = complaint === "" ? `HTTP ${status}` : `HTTP ${status}, ${complaint}`;
  return new HttpFailure({ kind: "status", target, detail, status, retryAfterMs: parseRetryAfter(header(response, "retry-after")) });
}

function parseJsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function header(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
