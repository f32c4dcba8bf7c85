/** What the trace of a run tells of its packing, and what the session's own span is to tell of its assets. */
import type { AssetTimes } from "../../proto/gen/maskline/v1/gateway.js";
import type { Span } from "../runtime/telemetry/tracing.js";
import type { HeldRun } from "./held-runs.js";

/** The run in figures. */
export function describeRun(span: Span, { ledger }: HeldRun, total: number, bytes: number): void {
  const { maskedAssets, masks, skipped, rejected } = ledger.counts();
  const all = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, count) => sum + count, 0);
  span.set({
    "maskline.assets": total,
    "maskline.assets.masked": maskedAssets,
    "maskline.assets.skipped": all(skipped),
    "maskline.assets.rejected": all(rejected),
    "maskline.masks": masks,
    "maskline.archive.size": bytes,
  });
}

/** Which assets took longest to make; the gateway shows them, for the session's span is its own. Undefined: nothing is traced. */
export function assetTimes({ figures }: HeldRun): AssetTimes | undefined {
  const slowest = figures.slowest().map(({ index, steps }) => ({ index, steps: Object.fromEntries(steps) }));
  return slowest.length === 0 ? undefined : { slowest };
}
