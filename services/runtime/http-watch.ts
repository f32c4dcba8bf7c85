/** One HTTP exchange under a timeout and the caller's signal; what it throws is translated here. */
import { HttpFailure } from "./http-failure.js";

export interface Watch {
  readonly signal: AbortSignal;
  /** Something moved: the time starts anew. */
  touch(): void;
}

/** Runs an exchange under a timeout and the caller's signal, and turns what it throws into an HttpFailure. */
export async function watched<T>(
  target: string,
  timeoutMs: number,
  outer: AbortSignal,
  exchange: (watch: Watch) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const late = new HttpFailure({ kind: "timeout", target, detail: `no answer within ${timeoutMs / 1000} s` });
  const forward = () => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(late), timeoutMs);
  outer.addEventListener("abort", forward, { once: true });
  try {
    return await exchange({ signal: controller.signal, touch: () => void timer.refresh() });
  } catch (error) {
    if (outer.aborted) throw outer.reason;
    throw controller.signal.aborted ? controller.signal.reason : translated(error, target);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", forward);
  }
}

/** A connection's error as an HttpFailure. Errors of the local file and our own mistakes stay what they are. */
function translated(error: unknown, target: string): unknown {
  if (error instanceof HttpFailure || !(error instanceof Error) || error instanceof TypeError) return error;
  if (error instanceof LocalFileError) return error.cause;
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  if (code === "UND_ERR_INVALID_ARG") return error;
  return new HttpFailure({ kind: "network", target, detail: `the connection failed (${code})` });
}

/** Marks an error of the local file on its way through the exchange. */
export class LocalFileError extends Error {}

export async function local<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new LocalFileError("the local file failed", { cause: error });
  }
}
