/** A session's trace: its root span, which outlives restarts for its ids are stored with the run, and what its assets carry of it. */
import type { Uploaded } from "../../proto/gen/maskline/v1/gateway.js";
import { createAssetSampler } from "../runtime/telemetry/asset-sampler.js";
import { traceHeaders } from "../runtime/telemetry/messaging.js";
import { knowRun } from "../runtime/telemetry/run-traces.js";
import { isTraceParent, type TraceParent, traceIdOf, unsampled } from "../runtime/telemetry/traceparent.js";
import { type Attributes, newRoot, recordSpan, startRoot } from "../runtime/telemetry/tracing.js";
import type { Session } from "./hub.js";
import type { AcceptedRun, EndedRun, RunRecord } from "./run-record.js";

/** The session with the context that is stored with its run; as it is when nothing is traced. */
export function withNewTrace(session: Session): Session {
  return within(session, newRoot());
}

/** The session as part of that span: what is done for it belongs there. */
export function within(session: Session, traceparent: TraceParent | undefined): Session {
  return traceparent === undefined ? session : { ...session, traceparent };
}

/** Log lines about the run name its session and trace from now on. */
export function knowSession({ run, session }: RunRecord): void {
  knowRun(run, { traceparent: session.traceparent, session: session.session });
}

/** The span of taking a session in, which is over. */
export function recordAccept({ run, session, acceptedAt }: AcceptedRun): void {
  const attributes = { "maskline.run": run, "maskline.session": session.session };
  recordSpan("accept session", session.traceparent, { role: "gateway", startMs: acceptedAt, attributes });
}

/**
 * The root span, from accepting the session to deciding its answer. A process that ended between the decision and its telling is followed by
 * one that records it again, under the same ids and without what the packager `uploaded`.
 */
export function recordSession({ run, session, acceptedAt, epoch, end }: EndedRun, uploaded?: Uploaded): void {
  const failed = "error" in end.answer;
  const span = startRoot("session", session.traceparent, {
    role: "gateway",
    kind: "server",
    startMs: acceptedAt,
    attributes: {
      "maskline.session": session.session,
      "maskline.run": run,
      "maskline.project": session.projectId,
      "maskline.outcome": failed ? "failed" : "exported",
      "maskline.epoch": epoch,
      ...(uploaded && figuresOf(uploaded)),
    },
  });
  for (const { index, steps } of uploaded?.times?.slowest ?? []) {
    const times = Object.entries(steps).map(([step, ms]) => [`maskline.${step}.ms`, ms]);
    span?.event("slow asset", { "maskline.asset.index": index, ...Object.fromEntries(times) }, end.at);
  }
  if (failed) span?.fail(new Error(end.lines.find(({ level }) => level === "ERROR")?.message ?? "the session failed"));
  span?.end(end.at);
}

function figuresOf({ bytes, counts, volumes }: Uploaded): Attributes {
  const sum = (numbers: Readonly<Record<string, number>> = {}) => Object.values(numbers).reduce((total, number) => total + number, 0);
  const { maskedAssets = 0, masks } = counts ?? {};
  const [skipped, rejected] = [sum(counts?.skipped), sum(counts?.rejected)];
  return {
    "maskline.assets": maskedAssets + skipped + rejected,
    "maskline.assets.masked": maskedAssets,
    "maskline.assets.skipped": skipped,
    "maskline.assets.rejected": rejected,
    "maskline.masks": masks,
    "maskline.archive.size": bytes,
    "maskline.archive.volumes": volumes,
  };
}

/** What finds the session in the installation's traces; undefined: it is not traced. */
export function traceIdOfSession({ traceparent }: Session): string | undefined {
  return isTraceParent(traceparent) ? traceIdOf(traceparent) : undefined;
}

const NO_HEADERS = {};

/** The headers of each asset's message: about `budget` assets of a session are traced. */
export function assetHeaders(session: Session, total: number, budget: number): (index: number) => Readonly<Record<string, string>> {
  const { traceparent } = session;
  if (!isTraceParent(traceparent)) return () => NO_HEADERS;
  const isKept = createAssetSampler(traceparent, total, budget);
  const kept = traceHeaders(traceparent, session.session);
  const others = traceHeaders(unsampled(traceparent), session.session);
  return (index) => (isKept(index) ? kept : others);
}
