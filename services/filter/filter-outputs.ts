/** What the filter sends: what to paint, or how an asset ended. */
import { type AssetIdentity, AssetOutcome, type Envelope, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { SkipRule } from "../../proto/outcomes.js";
import { idSuffix, pipeline } from "../../proto/pipeline.js";
import type { StepOutput } from "../runtime/step.js";

export function maskRequested(message: MaskRequested & { readonly envelope: Envelope }): StepOutput {
  return {
    queue: pipeline.maskRequested.queue(),
    suffix: idSuffix.part(message.envelope.part),
    body: MaskRequested.encode(message).finish(),
  };
}

export function assetSkipped(envelope: Envelope, asset: AssetIdentity, rule: SkipRule): StepOutput {
  return assetOutcome({ envelope, asset, outcome: { $case: "skipped", value: { rule } } }, idSuffix.filtered);
}

/** `suffix` tells who decided it (proto/pipeline.ts). */
export function assetRejected(
  envelope: Envelope,
  asset: AssetIdentity,
  failure: { readonly code: string; readonly reason: string },
  suffix: string,
): StepOutput {
  const { code, reason } = failure;
  return assetOutcome({ envelope, asset, outcome: { $case: "rejected", value: { code, reason } } }, suffix);
}

function assetOutcome(message: AssetOutcome & { readonly envelope: Envelope }, suffix: string): StepOutput {
  return { queue: pipeline.assetOutcome.queue(message.envelope.packager), suffix, body: AssetOutcome.encode(message).finish() };
}
