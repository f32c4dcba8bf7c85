/**
 * Tracing as the services see it. Contexts are passed as text (traceparent.ts), never through async hooks, which on Node 20 cost every promise
 * of the process. While no tracer is in use, which is the default, everything here does nothing.
 */
import { redactUrls } from "../redact.js";
import { isSampled, type TraceParent } from "./traceparent.js";

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** Which part of Maskline: gateway, filter, rasterizer, packager. */
  readonly role: string;
  /** Default: internal. */
  readonly kind?: "internal" | "server" | "client" | "producer" | "consumer";
  readonly attributes?: Attributes;
  /** Milliseconds since 1970; default: now. */
  readonly startMs?: number;
  /** A span that this one belongs to besides its parent. */
  readonly link?: TraceParent;
}

export interface Span {
  readonly traceparent: TraceParent;
  set(attributes: Attributes): void;
  /** @param atMs milliseconds since 1970; default: now */
  event(name: string, attributes?: Attributes, atMs?: number): void;
  /** Marks the span as failed, with the error's kind and text. */
  fail(error: unknown): void;
  /** @param endMs milliseconds since 1970; default: now */
  end(endMs?: number): void;
}

/** What records spans; its adapter is sdk.ts. */
export interface Tracer {
  /** The context of a new trace's root span, which is recorded later (`startRoot`); undefined when this trace is not kept. */
  newRoot(): TraceParent | undefined;
  /** The span whose context is `root` itself. */
  startRoot(name: string, root: TraceParent, options: SpanOptions): Span;
  startSpan(name: string, parent: TraceParent, options: SpanOptions): Span;
}

let tracer: Tracer | undefined;

/** Records spans with it from now on; undefined: with none any more. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

export function newRoot(): TraceParent | undefined {
  return tracer?.newRoot();
}

/** See `Tracer.startRoot`; undefined when nothing is traced. */
export function startRoot(name: string, root: TraceParent | undefined, options: SpanOptions): Span | undefined {
  return root === undefined ? undefined : tracer?.startRoot(name, root, options);
}

/** A span below `parent`; undefined when nothing is traced, or the parent is not kept. */
export function startSpan(name: string, parent: TraceParent | undefined, options: SpanOptions): Span | undefined {
  if (tracer === undefined || parent === undefined || !isSampled(parent)) return undefined;
  return tracer.startSpan(name, parent, options);
}

/** Records what took place from `startMs` to `endMs`, both in milliseconds since 1970. */
export function recordSpan(
  name: string,
  parent: TraceParent | undefined,
  options: SpanOptions & { readonly startMs: number },
  endMs?: number,
): void {
  startSpan(name, parent, options)?.end(endMs);
}

/**
 * Does the work in a span of its own. The work is given the context for what belongs to it: the span's, or the parent's when there is none.
 * Throws what the work throws; the span has failed then.
 */
export async function inSpan<T>(
  name: string,
  parent: TraceParent | undefined,
  options: SpanOptions,
  work: (context: TraceParent | undefined, span: Span | undefined) => Promise<T> | T,
): Promise<T> {
  const span = startSpan(name, parent, options);
  if (span === undefined) return work(parent, undefined);
  try {
    return await work(span.traceparent, span);
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** A time of the monotonic clock (`performance.now()`) in milliseconds since 1970. */
export function sinceEpoch(monotonicMs: number): number {
  return performance.timeOrigin + monotonicMs;
}

/** What kind of failure: the error's class, or the code of an error of the system. Few different ones, so fit for metrics. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(error.code) ? error.code : error.name;
}

/** Longer texts are cut: a span is no place for a report. */
const MAX_TEXT = 500;

/** A text as spans may show it: no URL in it keeps its credentials or its query. */
export function shownText(text: string): string {
  return redactUrls(text).slice(0, MAX_TEXT);
}
