/**
 * STEP 1: the rows of the stored export become AssetExported messages, a message an asset, as fast as credits allow
 * (docs/delivery.md rules 4 and 5).
 */
import { setMaxListeners } from "node:events";
import { AssetExported, type Envelope } from "../../proto/gen/maskline/v1/pipeline.js";
import { assetMessageId, pipeline } from "../../proto/pipeline.js";
import type { BackoffBounds } from "../runtime/backoff.js";
import type { Bus, OutgoingMessage } from "../runtime/bus/bus.js";
import { type Outage, publishPatiently } from "../runtime/bus/publish-patiently.js";
import type { Bell } from "./bell.js";
import type { Credits } from "./credits.js";

/** One row of the export: its position from 0, and its JSON text as Hub wrote it. */
export interface ExportRow {
  readonly index: number;
  readonly row: Buffer;
}

/** What all messages of one round have in common. */
export type RoundEnvelope = Pick<Envelope, "run" | "gateway" | "packager" | "epoch" | "round">;

export interface PublishParts {
  readonly envelope: RoundEnvelope;
  /** The headers of an asset's message: what it carries of the session's trace. */
  readonly headers: (index: number) => OutgoingMessage["headers"];
  /** Ascending. */
  readonly rows: (signal: AbortSignal) => AsyncIterable<readonly ExportRow[]>;
  readonly publish: Bus["publish"];
  /** Knows of the messages that wait for a bus or a blob store that is away. */
  readonly outage: Outage;
  readonly credits: Credits;
  /** Assets of the epoch that are final now; `bell` rings when it changes. */
  readonly accounted: () => number;
  readonly bell: Bell;
  /** Told the index behind the longest prefix of `rows` that the broker has acknowledged; never before it has. */
  readonly onPosition: (position: number) => void;
  readonly pauses: BackoffBounds & { readonly tick: number };
}

const MAX_PUBLISHES_IN_FLIGHT = 64;

/**
 * Publishes all rows; resolves when the broker has acknowledged each. A bus that is away is waited for.
 * @throws what reading or publishing throws, Fatal included; the signal's reason when aborted.
 */
export async function publishAssets(parts: PublishParts, signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  setMaxListeners(0, stop);
  const prefix = acknowledgedPrefix(parts.onPosition);
  const pending = new Set<Promise<void>>();
  const start = (asset: ExportRow) => {
    parts.credits.published(asset.row.length);
    const acknowledged = prefix(asset.index);
    const publishing = publishPatiently(
      parts.publish,
      toMessage(parts.envelope, asset, parts.headers(asset.index)),
      parts.pauses,
      stop,
      parts.outage,
    )
      .then(acknowledged, (error: unknown) => failed.abort(error))
      .finally(() => pending.delete(publishing));
    pending.add(publishing);
  };
  try {
    for await (const batch of parts.rows(stop)) {
      for (const asset of batch) {
        while (!parts.credits.allow(asset.row.length, parts.accounted())) await parts.bell.next(parts.pauses.tick, stop);
        while (pending.size >= MAX_PUBLISHES_IN_FLIGHT) await Promise.race(pending);
        stop.throwIfAborted();
        start(asset);
      }
    }
  } catch (error) {
    failed.abort(error);
    throw stop.reason;
  } finally {
    await Promise.all(pending);
  }
  stop.throwIfAborted();
}

function toMessage(round: RoundEnvelope, { index, row }: ExportRow, headers: OutgoingMessage["headers"]): OutgoingMessage {
  const envelope: Envelope = { ...round, index, part: 0, parts: 0 };
  return {
    queue: pipeline.assetExported.queue(),
    key: envelope.run,
    id: assetMessageId(envelope),
    headers,
    body: AssetExported.encode({ envelope, row }).finish(),
  };
}

/** Acknowledgements come in any order; what is told is the prefix without a gap. */
function acknowledgedPrefix(onPosition: (position: number) => void): (index: number) => () => void {
  const open: { readonly index: number; done: boolean }[] = [];
  return (index) => {
    const entry = { index, done: false };
    open.push(entry);
    return () => {
      entry.done = true;
      let position: number | undefined;
      for (let first = open[0]; first?.done; first = open[0]) {
        position = first.index + 1;
        open.shift();
      }
      if (position !== undefined) onPosition(position);
    };
  };
}
