import { AssetOutcome } from "../../proto/gen/maskline/v1/pipeline.js";
import type { CellOutcome } from "./ledger.js";

/** What the spool reads of an outcome: where it belongs, and what the ledger needs to know. */
export interface OutcomeHead {
  readonly run: string;
  readonly gateway: string;
  readonly epoch: number;
  readonly cell: CellOutcome;
}

/** A run's id becomes a folder name, so nothing else may pass. */
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The head of one encoded AssetOutcome, or undefined when the bytes are none: not protobuf, without envelope, with a run that is no id, or
 * without an outcome.
 */
export function decodeHead(bytes: Uint8Array): OutcomeHead | undefined {
  const message = decodeOutcome(bytes);
  const envelope = message?.envelope;
  if (!message?.outcome || !envelope || !RUN_ID.test(envelope.run)) return undefined;
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
