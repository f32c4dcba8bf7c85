/** One stage of a session: a span below its parent, and its time in the metrics. */
import { stageDuration } from "./metrics.js";
import type { TraceParent } from "./traceparent.js";
import { errorType, inSpan, type SpanOptions } from "./tracing.js";

export interface StageOptions extends SpanOptions {
  /** Its name in the metrics. */
  readonly stage: string;
}

/** Does the work; see `inSpan`. */
export async function inStage<T>(
  name: string,
  parent: TraceParent | undefined,
  { stage, ...options }: StageOptions,
  work: Parameters<typeof inSpan<T>>[3],
): Promise<T> {
  const startedAt = performance.now();
  const done = (error: string) =>
    stageDuration.record((performance.now() - startedAt) / 1000, { "maskline.stage": stage, "error.type": error });
  try {
    const result = await inSpan(name, parent, options, work);
    done("");
    return result;
  } catch (error) {
    done(errorType(error));
    throw error;
  }
}
