/** What went wrong with an HTTP exchange, told without secrets: a URL appears as its origin and path, never with its query. */
import { redactUrls } from "./redact.js";

/** `refused`: we do not make that request, because of where it leads. */
export type HttpFailureKind = "status" | "network" | "timeout" | "too large" | "refused";

interface HttpFailureParts {
  readonly kind: HttpFailureKind;
  /** `GET https://host/path`, see `nameOf`. */
  readonly target: string;
  /** What happened, in words that hold no secret. */
  readonly detail: string;
  readonly status?: number | undefined;
  /** What the server asked for with `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
}

/** An exchange that gave no usable answer. Its message names method, origin and path. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly kind: HttpFailureKind;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** The message without the target, for those who name it themselves. */
  readonly detail: string;

  constructor({ kind, target, detail, status, retryAfterMs }: HttpFailureParts) {
    super(`${target}: ${detail}`);
    this.kind = kind;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.detail = detail;
  }
}

/** Method, origin and path: what may be shown of a request. Credentials, query and fragment are left out. */
export function nameOf(method: string, url: string): string {
  if (!URL.canParse(url)) return `${method} (not a URL)`;
  const { protocol, host, pathname } = new URL(url);
  return `${method} ${protocol}//${host}${pathname}`;
}

/** Milliseconds from a `Retry-After` header: seconds or an HTTP date (RFC 9110 section 10.2.3); undefined when it is neither. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Whether the same exchange may succeed when it is tried again: connection faults, timeouts, 408, 425, 429 and all of 5xx that tell of
 * a state (501 and 505 tell of an ability). The wait that the server asked for is passed on.
 */
export function isPassingHttpFailure(error: unknown): boolean | { readonly afterMs: number } {
  if (!(error instanceof HttpFailure)) return false;
  if (error.kind === "network" || error.kind === "timeout") return true;
  if (error.kind === "too large" || error.status === undefined) return false;
  const passing = [408, 425, 429].includes(error.status) || (error.status >= 500 && ![501, 505].includes(error.status));
  return passing && error.retryAfterMs !== undefined ? { afterMs: error.retryAfterMs } : passing;
}

/**
 * The short complaint in the body of an answer. Of S3's XML only `Code` and `Message`: the rest repeats the request with its signature.
 * Of other texts the beginning. Neither holds credentials or queries of URLs.
 */
export function complaintOf(body: string): string {
  const code = /<Code>([^<]{1,200})<\/Code>/.exec(body)?.[1];
  if (code !== undefined) {
    const message = /<Message>([^<]{1,200})<\/Message>/.exec(body)?.[1];
    return redactUrls(message === undefined ? code : `${code}: ${message}`);
  }
  const text = redactUrls(body.replace(/\s+/g, " ").trim());
  return text.length <= 200 ? text : `${text.slice(0, 200)}...`;
}
