/** What this process knows of runs beside their messages: to which session and trace they belong. For log lines, and for calls about a run. */
import type { TraceParent } from "./traceparent.js";

export interface RunTrace {
  /** Where spans about the run as a whole belong; undefined: the run is not traced. Always one that is kept. */
  readonly traceparent: TraceParent | undefined;
  /** Hub's id of the session; undefined: not known here. */
  readonly session: string | undefined;
}

/** The runs at work are far fewer. */
const KEPT_RUNS = 4096;

const runs = new Map<string, RunTrace>();

/** Remembers the run, instead of what was known of it. */
export function knowRun(run: string, trace: RunTrace): void {
  runs.delete(run);
  runs.set(run, trace);
  if (runs.size <= KEPT_RUNS) return;
  const oldest = runs.keys().next().value;
  if (oldest !== undefined) runs.delete(oldest);
}

export function runTrace(run: string): RunTrace | undefined {
  return runs.get(run);
}
