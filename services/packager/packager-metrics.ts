/** What the packager shows of its runs whenever figures are collected. */
import { REJECT_CODES, SKIP_RULES } from "../../proto/outcomes.js";
import { assets, droppedObjects, heldRuns, masks, retries } from "../runtime/telemetry/metrics.js";
import type { HeldRuns } from "./held-runs.js";

/** What it counts is shown from the start, at 0: the first asset that is rejected must be seen as well. Returns how to end it. */
export function observePackager(runs: Pick<HeldRuns, "all">): () => void {
  assets.add(0, { "maskline.outcome": "masked", "maskline.reason": "" });
  for (const rule of Object.keys(SKIP_RULES)) assets.add(0, { "maskline.outcome": "skipped", "maskline.reason": rule });
  for (const code of Object.keys(REJECT_CODES)) assets.add(0, { "maskline.outcome": "rejected", "maskline.reason": code });
  for (const counter of [masks, droppedObjects]) counter.add(0, {});
  retries.add(0, { "maskline.stage": "upload" });
  return heldRuns.observe(() => [[runs.all().length, {}]]);
}
