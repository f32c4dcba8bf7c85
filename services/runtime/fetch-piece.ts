/**
 * A piece of a file behind a URL that others have written: over http(s) only, to addresses that may be connected to, never more bytes than
 * asked for, and in bounded time. Redirects are followed under the same rules.
 */
import type { AddressRules } from "./address-rules.js";
import { type CheckedHttp, createCheckedHttp, type HttpAnswer } from "./http.js";
import { HttpFailure, nameOf, parseRetryAfter } from "./http-failure.js";
import { watched } from "./http-watch.js";

export interface PieceRequest {
  readonly url: string;
  /** Bytes of the file, from 0; `end` is not included. */
  readonly from: number;
  readonly end: number;
  /** So many bytes are taken from a server that knows no ranges; it is read from the beginning. */
  readonly mostBytes: number;
  /** For the whole exchange, redirects included. */
  readonly timeoutMs: number;
}

export interface Piece {
  /** As many as were asked for, or as the file has. */
  readonly bytes: Uint8Array;
  /** Length of the file where it is known. */
  readonly fileBytes: number | undefined;
  /** Content-Type, as the server says it. */
  readonly type: string | undefined;
}

export interface PieceFetcher {
  /**
   * @throws HttpFailure (refused, network, timeout, or status: no usable answer), or the signal's reason.
   */
  fetch(request: PieceRequest, signal: AbortSignal): Promise<Piece>;
  /** Ends all connections. */
  close(): Promise<void>;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
const USER_AGENT = "maskline";

export function createPieceFetcher(rules: AddressRules): PieceFetcher {
  const http = createCheckedHttp((address) => {
    const refusal = rules.refusal(address);
    if (refusal === undefined) return;
    throw new HttpFailure({ kind: "refused", target: "GET", detail: `${refusal}, where nothing is fetched from (see FETCH_ALLOW)` });
  });
  return {
    fetch: (request, signal) =>
      watched(nameOf("GET", request.url), request.timeoutMs, signal, async (watch) => {
        const { answer, url } = await follow(http, request, watch.signal);
        return pieceOf(answer, request, nameOf("GET", url));
      }),
    close: () => http.close(),
  };
}

/** The answer that is no redirect, and who gave it. */
async function follow(http: CheckedHttp, request: PieceRequest, signal: AbortSignal): Promise<{ answer: HttpAnswer; url: string }> {
  const headers = {
    range: `bytes=${request.from}-${request.end - 1}`,
    accept: "*/*",
    "accept-encoding": "identity",
    "user-agent": USER_AGENT,
  };
  let url = request.url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await http.get(checked(url), headers, signal);
    const location = answer.header("location");
    if (location === undefined || !REDIRECTS.includes(answer.status)) return { answer, url };
    answer.discard();
    if (!URL.canParse(location, url)) throw refused(url, "a redirect to something that is no URL");
    url = new URL(location, url).href;
  }
  throw refused(request.url, `more than ${MAX_REDIRECTS} redirects`);
}

/** @throws HttpFailure when it is no URL of http(s) */
function checked(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol === "http:" || protocol === "https:") return url;
  throw refused(url, protocol === undefined ? "it is not a URL" : `only http and https are fetched, not ${protocol.slice(0, 20)}`);
}

function refused(url: string, detail: string): HttpFailure {
  return new HttpFailure({ kind: "refused", target: nameOf("GET", url), detail });
}

async function pieceOf(answer: HttpAnswer, { from, end, mostBytes }: PieceRequest, target: string): Promise<Piece> {
  const type = answer.header("content-type");
  const unusable = (detail: string) => {
    answer.discard();
    const retryAfterMs = parseRetryAfter(answer.header("retry-after"));
    return new HttpFailure({ kind: "status", target, detail, status: answer.status, retryAfterMs });
  };
  const encoding = answer.header("content-encoding") ?? "identity";
  if (encoding !== "identity") throw unusable(`it is sent as ${encoding.slice(0, 20)}, though it was asked for as it is`);
  switch (answer.status) {
    case 200: {
      if (end > mostBytes) throw unusable(`it is sent from its beginning, and bytes ${from} to ${end} were asked for`);
      const length = lengthOf(answer.header("content-length"));
      const whole = await readUpTo(answer, end);
      return { bytes: whole.bytes.subarray(from), fileBytes: length ?? (whole.ended ? whole.bytes.length : undefined), type };
    }
    case 206: {
      const range = parseContentRange(answer.header("content-range"));
      if (range?.first !== from) throw unusable(`HTTP 206 with another part than the one asked for, from byte ${from}`);
      const { bytes, ended } = await readUpTo(answer, end - from);
      return { bytes, fileBytes: range.fileBytes ?? (ended && bytes.length < end - from ? from + bytes.length : undefined), type };
    }
    case 416: {
      answer.discard();
      return { bytes: new Uint8Array(0), fileBytes: parseContentRange(answer.header("content-range"))?.fileBytes ?? from, type };
    }
    default:
      throw unusable(`HTTP ${answer.status}`);
  }
}

function lengthOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `bytes 0-99/1234`, with an asterisk for what is not known (RFC 9110 section 14.4). */
function parseContentRange(text = ""): { readonly first: number | undefined; readonly fileBytes: number | undefined } | undefined {
  const [, first, fileBytes] = /^bytes (?:(\d{1,15})-\d{1,15}|\*)\/(\d{1,15}|\*)$/.exec(text) ?? [];
  return fileBytes === undefined ? undefined : { first: lengthOf(first), fileBytes: lengthOf(fileBytes) };
}

/** The first `most` bytes of a body, in memory of their own. What comes after is not waited for. */
async function readUpTo({ body }: HttpAnswer, most: number): Promise<{ readonly bytes: Uint8Array; readonly ended: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let ended = true;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    ended = length < most;
    if (!ended) break;
  }
  const bytes = new Uint8Array(Math.min(length, most));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, bytes.length - at), at);
    at += Math.min(chunk.length, bytes.length - at);
  }
  return { bytes, ended };
}
