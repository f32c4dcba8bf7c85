/** Traces and metrics of the spool: one commit of a run's outcomes, seen from outside. */
import { REJECT_CODES, SKIP_RULES } from "../../proto/outcomes.js";
import type { Delivery } from "../runtime/bus/bus.js";
import type { Logger } from "../runtime/log.js";
import { inFlight } from "../runtime/telemetry/in-flight.js";
import { assets, droppedObjects, masks, stageBytes, stageDuration } from "../runtime/telemetry/metrics.js";
import { parseTiming, SERVER_TIMING } from "../runtime/telemetry/server-timing.js";
import { sampled, type TraceParent } from "../runtime/telemetry/traceparent.js";
import { recordSpan, startSpan } from "../runtime/telemetry/tracing.js";
import type { HeldRun } from "./held-runs.js";
import type { CellOutcome, LedgerCounts, Location } from "./ledger.js";
import { decodeOutcome } from "./outcome-head.js";

export interface SpooledRecord {
  readonly cell: CellOutcome;
  readonly location: Location;
  readonly delivery: Delivery;
}

const spoolSeconds = stageDuration.bind({ "maskline.stage": "spool", "error.type": "" });
const spoolBytes = stageBytes.bind({ "maskline.stage": "spool" });

/** Called before a commit; what it returns is called after it, with what was committed and is in the ledger now. */
export function observeCommit(run: HeldRun, log: Logger): (records: readonly SpooledRecord[]) => void {
  const before = run.ledger.counts();
  const startMs = Date.now();
  const startedAt = performance.now();
  return (records) => {
    const seconds = (performance.now() - startedAt) / 1000;
    spoolSeconds(seconds);
    spoolBytes(records.reduce((bytes, { location }) => bytes + location.length, 0));
    countAssets(before, run.ledger.counts());
    for (const record of records) {
      traceRecord(run, record, startMs, startMs + seconds * 1000);
      if (record.cell.kind === "rejected") tellRejection(run, record, log);
    }
  };
}

/** What the commit has made final. */
function countAssets(before: LedgerCounts, after: LedgerCounts): void {
  const count = (outcome: string, reason: string, number: number) => {
    if (number > 0) assets.add(number, { "maskline.outcome": outcome, "maskline.reason": reason });
  };
  count("masked", "", after.maskedAssets - before.maskedAssets);
  masks.add(after.masks - before.masks, {});
  for (const [rule, number] of Object.entries(after.skipped)) {
    count("skipped", rule in SKIP_RULES ? rule : "other", number - (before.skipped[rule] ?? 0));
  }
  for (const [code, number] of Object.entries(after.rejected)) {
    count("rejected", code in REJECT_CODES ? code : "other", number - (before.rejected[code] ?? 0));
  }
  droppedObjects.add(sum(after.dropped) - sum(before.dropped), {});
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, number) => total + number, 0);
}

function traceRecord(run: HeldRun, { cell, delivery }: SpooledRecord, startMs: number, endMs: number): void {
  const message = inFlight(delivery.id);
  if (message?.traceparent === undefined) return;
  run.figures.took(cell.index, parseTiming(message.headers[SERVER_TIMING]));
  if (message.span) recordSpan("spool", message.traceparent, { role: "packager", startMs }, endMs);
}

/** Whether its asset is kept or not: why it is missing from the archive is worth a look. */
function tellRejection(run: HeldRun, { cell, delivery }: SpooledRecord, log: Logger): void {
  const outcome = decodeOutcome(delivery.body)?.outcome;
  const reason = outcome?.$case === "rejected" ? outcome.value.reason : cell.why;
  log.debug({ id: delivery.id, code: cell.why, reason }, "an asset is rejected");
  const parent = inFlight(delivery.id)?.traceparent;
  if (parent !== undefined && run.figures.showsRejection()) traceRejection(sampled(parent), run.run, cell, delivery.id, reason);
}

function traceRejection(parent: TraceParent, run: string, { index, part, parts, why }: CellOutcome, id: string, reason: string): void {
  const span = startSpan("reject asset", parent, {
    role: "packager",
    attributes: {
      "maskline.run": run,
      "maskline.asset.index": index,
      "maskline.asset.part": parts === 0 ? undefined : part,
      "maskline.reason": why,
      "messaging.message.id": id,
    },
  });
  span?.fail(new Error(reason));
  span?.set({ "error.type": why });
  span?.end();
}
