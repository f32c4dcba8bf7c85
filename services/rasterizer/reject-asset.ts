/** How a mask ends that is not painted. */
import { type AssetIdentity, AssetOutcome, type Envelope, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { idSuffix, pipeline } from "../../proto/pipeline.js";
import type { StepOutput } from "../runtime/step.js";

interface Failure {
  readonly code: string;
  readonly reason: string;
}

/** The rejection of an asset, or of one part of it. `suffix` tells who decided it (proto/pipeline.ts). */
export function assetRejected(envelope: Envelope, asset: AssetIdentity | undefined, { code, reason }: Failure, suffix: string): StepOutput {
  const outcome = { $case: "rejected", value: { code, reason } } as const;
  return {
    queue: pipeline.assetOutcome.queue(envelope.packager),
    suffix,
    body: AssetOutcome.encode({ envelope, asset, outcome }).finish(),
  };
}

/**
 * What a message becomes that the rasterizer has given up on (docs/delivery.md rule 15). Undefined when it is not readable or does not say
 * where it belongs: then nobody can be told, and the gap is found and repaired by the gateway.
 */
export function rejectAsset(body: Uint8Array, failure: Failure): StepOutput[] | undefined {
  const message = decode(body);
  if (!message?.envelope || message.envelope.packager === "") return undefined;
  return [assetRejected(message.envelope, message.asset, failure, idSuffix.gaveUp)];
}

function decode(body: Uint8Array): MaskRequested | undefined {
  try {
    return MaskRequested.decode(body);
  } catch {
    return undefined;
  }
}
