/** The messages that this process holds, by id: what is made of one belongs to its trace, and names it in its own id. */

import type { TraceParent } from "./traceparent.js";
import type { Span } from "./tracing.js";

export interface InFlight {
  readonly id: string;
  readonly queue: string;
  /** Where spans about it belong, and what it produces; undefined: its run is not traced. */
  readonly traceparent: TraceParent | undefined;
  /** Its own span, when it is kept. */
  readonly span: Span | undefined;
  /** The headers of its trace, as it came with them. */
  readonly headers: Readonly<Record<string, string>>;
  /** When work on it began, by the monotonic clock in milliseconds: its delivery, where nobody says (`beginWork`). */
  startedAt: number;
  /** Work on it has begun before. */
  begun: boolean;
}

const held = new Map<string, InFlight>();

export function hold(message: InFlight): void {
  held.set(message.id, message);
}

/** A message that was delivered again meanwhile stays. */
export function letGo(message: InFlight): void {
  if (held.get(message.id) === message) held.delete(message.id);
}

export function inFlight(id: string): InFlight | undefined {
  return held.get(id);
}

/** Work on the message begins now: until then it waited for a worker. */
export function beginWork(id: string): InFlight | undefined {
  const message = held.get(id);
  if (message && !message.begun) {
    message.begun = true;
    message.startedAt = performance.now();
    message.span?.event("work begins");
  }
  return message;
}
