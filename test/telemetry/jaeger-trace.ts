/** Spans as Jaeger gives them back. */
import type { Jaeger } from "../brokers/jaeger.js";
import { type ReceivedSpan, spansOf, type WireResource } from "./otlp-receiver.js";

/** The spans of one trace. Its API answers one or more pieces, each a line. */
export async function spansFromJaeger(jaeger: Pick<Jaeger, "trace">, traceId: string): Promise<readonly ReceivedSpan[]> {
  const pieces = (await jaeger.trace(traceId)).trim().split("\n");
  return pieces
    .map((piece) => JSON.parse(piece) as { readonly result: { readonly resourceSpans: readonly WireResource[] } })
    .flatMap(({ result }) => result.resourceSpans.flatMap(spansOf));
}
