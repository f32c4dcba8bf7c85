/** What a log line is about, beside what its writer said: read off the run or the message that it names. */
import { inFlight } from "./in-flight.js";
import { placeOf } from "./message-place.js";
import { runTrace } from "./run-traces.js";
import { isSampled, isTraceParent, spanIdOf, traceIdOf } from "./traceparent.js";

/** The fields that go with `fields`: run and asset of the message `id`; session and trace of the run, where they are known here. */
export function logFields(fields: object): Readonly<Record<string, string | number>> {
  const given = fields as { readonly id?: unknown; readonly run?: unknown };
  const place = typeof given.id === "string" ? placeOf(given.id) : undefined;
  const run = typeof given.run === "string" ? given.run : place?.run;
  if (run === undefined) return {};
  const known = runTrace(run);
  const message = place && typeof given.id === "string" ? inFlight(given.id) : undefined;
  const trace = message?.traceparent ?? known?.traceparent;
  return {
    ...(given.run === undefined ? { run } : {}),
    ...(place ? { asset: place.index } : {}),
    ...(place?.part === undefined ? {} : { part: place.part }),
    ...(known?.session === undefined || "session" in fields ? {} : { session: known.session }),
    ...(isTraceParent(trace) ? { trace_id: traceIdOf(trace) } : {}),
    ...(message && isTraceParent(trace) && isSampled(trace) ? { span_id: spanIdOf(trace) } : {}),
  };
}
