/*
 * Few kinds of failure, each answering "what does the loop do?". Foreign errors are translated into one of them once, at the
 * adapter, with `cause`. Anything else that a step throws is a failure of the message itself: it is tried five times, then rejected.
 */

/** Again, with backoff: something outside is down or full. Never counts against the message. */
export class Retry extends Error {
  override readonly name = "Retry";
}

/** Set this asset aside: it can not succeed. `message` is the reason a human can act on. */
export class Reject extends Error {
  override readonly name = "Reject";
  constructor(
    readonly code: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(reason, options);
  }
}

/** Stop the process: going on could lose or corrupt something. The orchestrator restarts it. */
export class Fatal extends Error {
  override readonly name = "Fatal";
}

/** The text of whatever was thrown, with its causes, for logs. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${describeError(error.cause)}`;
  return `${error.message}${cause}`;
}
