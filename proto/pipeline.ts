/**
 * The way of one asset, read downwards: a line per hop with its queue, message, producer, consumer and the step that does it.
 *
 * Message ids are derived: the gateway's is `run/epoch.round/index`, every later one is its input's id plus a fixed suffix. So a
 * repeat is recognised, and a deliberate republish (a new epoch or round) is a new id.
 */
import { AssetExported, AssetOutcome, type Envelope, MaskRequested } from "./gen/maskline/v1/pipeline.js";

export const pipeline = {
  /** services/gateway/publish-assets.ts (STEP 1) -> services/filter/filter-asset.ts (STEP 2) */
  assetExported: { queue: () => "filter", message: AssetExported, producer: "gateway", consumer: "filter" },
  /** services/filter/filter-asset.ts (STEP 2) -> services/rasterizer/render-mask.ts (STEP 3) */
  maskRequested: { queue: () => "raster", message: MaskRequested, producer: "filter", consumer: "rasterizer" },
  /** services/filter and services/rasterizer -> services/packager/spool-outcomes.ts (STEP 4), then pack-run.ts (STEP 5) */
  assetOutcome: {
    queue: (packager: string) => `out.${packager}`,
    message: AssetOutcome,
    producer: "filter, rasterizer",
    consumer: "packager",
  },
} as const;

/** `run/epoch.round/index`: the id of the AssetExported message of one asset. */
export function assetMessageId({ run, epoch, round, index }: Envelope): string {
  return `${run}/${epoch}.${round}/${index}`;
}

/** The round in an id that is an asset's or derived from one; 0 when it is neither. */
export function roundOf(id: string): number {
  return Number(/^[^/]*\/\d+\.(\d+)\//.exec(id)?.[1] ?? 0);
}

/** Suffixes that steps append to the id of their input. */
export const idSuffix = {
  /** A part's MaskRequested. */
  part: (part: number) => `/p${part}`,
  /** The outcome of an asset, or of one part, named by the step that decided it. */
  filtered: "/f",
  rendered: "/m",
  gaveUp: "/x",
} as const;
