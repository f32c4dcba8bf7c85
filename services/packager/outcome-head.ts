import { AssetOutcome } from "../../proto/gen/maskline/v1/pipeline.js";
import type { CellOutcome } from "./ledger.js";
import { isRunId } from "./run-id.js";

/** What the spool reads of an outcome: where it belongs, and what the ledger needs to know. */
export interface OutcomeHead {
  readonly run: string;
  readonly gateway: string;
  readonly epoch: number;
  readonly cell: CellOutcome;
}

/**
 * The head of one encoded AssetOutcome, or undefined when the bytes are none: not protobuf, without envelope, with a run that is no id, or
 * without an outcome.
 */
export function decodeHead(bytes: Uint8Array): OutcomeHead | undefined {
  const message = decodeOutcome(bytes);
  const envelope = message?.envelope;
  if (!message?.outcome || !envelope || !isRunId(envelope.run)) return undefined;
  const { run, gateway, epoch, index, part, parts } = envelope;
  return { run, gateway, epoch, cell: { index, part, parts, ...resultOf(message.outcome) } };
}

/** The whole message, or undefined when the bytes are not one. */
export function decodeOutcome(bytes: Uint8Array): AssetOutcome | undefined {
  try {
    return AssetOutcome.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The encoded outcome itself, or, when it is larger than a record of the log may be, the rejection of its asset. Written as it is it could
 * never be read again, and its asset would be missing for good.
 */
export function withinBytes(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length <= maxBytes) return bytes;
  const message = decodeOutcome(bytes);
  if (!message?.envelope || !message.outcome) return bytes;
  const envelope = { ...message.envelope, part: 0, parts: 0 };
  const reason = `its outcome takes ${bytes.length} bytes; the packager stores ${maxBytes} of one. Export a smaller image`;
  const rejection = (asset: AssetOutcome["asset"]) =>
    AssetOutcome.encode({ envelope, asset, outcome: { $case: "rejected", value: { code: "over_limit", reason } } }).finish();
  const named = rejection(message.asset);
  // A row may be a gigabyte long, so the names alone may be too much.
  return named.length <= maxBytes ? named : rejection(undefined);
}

function resultOf(outcome: NonNullable<AssetOutcome["outcome"]>): Pick<CellOutcome, "kind" | "why" | "dropped"> {
  switch (outcome.$case) {
    case "rendered":
      return { kind: "mask", why: "", dropped: outcome.value.dropped };
    case "skipped":
      return { kind: "skipped", why: outcome.value.rule, dropped: [] };
    case "rejected":
      return { kind: "rejected", why: outcome.value.code, dropped: [] };
  }
}
