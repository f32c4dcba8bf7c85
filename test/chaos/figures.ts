/** What processes count of themselves (docs/telemetry.md), read off their /metrics. Pure. */
import { parsePrometheusText } from "../telemetry/prometheus-text.js";

/** Counters: they only grow while a process lives, and begin anew with the next one. */
export interface Counts {
  /** Messages delivered another time. */
  readonly redelivered: number;
  readonly rounds: number;
  readonly epochs: number;
}

export interface Figures extends Counts {
  /** What would be lost with the process, were it not kept elsewhere: messages that it holds; a gateway's sessions. */
  readonly unfinished: number;
}

export const NO_COUNTS: Counts = { redelivered: 0, rounds: 0, epochs: 0 };

/** @throws AssertionError when it is no text for Prometheus */
export function readFigures(text: string): Figures {
  const sums = new Map<string, number>();
  for (const { name, value } of parsePrometheusText(text)) sums.set(name, (sums.get(name) ?? 0) + value);
  const of = (name: string) => sums.get(name) ?? 0;
  return {
    redelivered: of("maskline_messages_redelivered_total"),
    rounds: of("maskline_rounds_total"),
    epochs: of("maskline_epochs_total"),
    unfinished: of("maskline_messages_held") + of("maskline_sessions_open"),
  };
}

export function addCounts(a: Counts, b: Counts): Counts {
  return { redelivered: a.redelivered + b.redelivered, rounds: a.rounds + b.rounds, epochs: a.epochs + b.epochs };
}
