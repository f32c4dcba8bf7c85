/** What a message becomes that the filter has given up on (docs/delivery.md rule 15). */
import { AssetExported } from "../../proto/gen/maskline/v1/pipeline.js";
import { idSuffix } from "../../proto/pipeline.js";
import type { StepOutput } from "../runtime/step.js";
import { glimpseIdentity } from "./asset-row.js";
import { assetRejected } from "./filter-outputs.js";

/**
 * The asset's rejection. Its row may be what ended a worker, so it is only glanced at. Undefined when the message is not readable or does
 * not say where it belongs: then nobody can be told, and the gap is found and repaired by the gateway.
 */
export function rejectAsset(body: Uint8Array, failure: { readonly code: string; readonly reason: string }): StepOutput[] | undefined {
  const message = decode(body);
  if (!message?.envelope || message.envelope.packager === "") return undefined;
  const envelope = { ...message.envelope, part: 0, parts: 0 };
  return [assetRejected(envelope, glimpseIdentity(message.row), failure, idSuffix.gaveUp)];
}

function decode(body: Uint8Array): AssetExported | undefined {
  try {
    return AssetExported.decode(body);
  } catch {
    return undefined;
  }
}
