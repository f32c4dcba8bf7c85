/**
 * The W3C trace context of one span as text, `00-<trace id>-<span id>-<flags>`: it travels in message headers and gRPC metadata, and is
 * stored with a run, so that the trace goes on after a restart. Pure.
 *
 * A trace context whose flag says "not sampled" is one of ours within a trace that is kept: it names the session's root span, and means
 * that this one asset leaves no spans. Of a trace that is not kept nothing travels at all.
 */
export type TraceParent = string;

const TRACE_PARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-0[01]$/;

export function isTraceParent(text: string | undefined): text is TraceParent {
  return text !== undefined && TRACE_PARENT.test(text);
}

/** @param traceId 32 hexadecimal digits; @param spanId 16 of them */
export function traceParent(traceId: string, spanId: string, sampled: boolean): TraceParent {
  return `00-${traceId}-${spanId}-0${sampled ? 1 : 0}`;
}

/** Of one that `isTraceParent`. */
export function traceIdOf(parent: TraceParent): string {
  return parent.slice(3, 35);
}

/** Of one that `isTraceParent`. */
export function spanIdOf(parent: TraceParent): string {
  return parent.slice(36, 52);
}

export function isSampled(parent: TraceParent): boolean {
  return parent.endsWith("1");
}

/** The same context, kept: for what is always worth a span, as a rejected asset is. */
export function sampled(parent: TraceParent): TraceParent {
  return isSampled(parent) ? parent : `${parent.slice(0, -1)}1`;
}

/** The same context, not kept. */
export function unsampled(parent: TraceParent): TraceParent {
  return isSampled(parent) ? `${parent.slice(0, -1)}0` : parent;
}
