/** From an outcome's record to what the archive shows of it. */

import type { AssetOutcome, DroppedObjects, MaskRendered } from "../../proto/gen/maskline/v1/pipeline.js";
import { REJECT_CODES, SKIP_RULES } from "../../proto/outcomes.js";
import type { MappedClass } from "./class-mapping.js";
import type { MaskToName } from "./entry-names.js";
import { PARTS_DIFFER } from "./ledger.js";
import type { ManifestRow } from "./manifest.js";

export interface ArchiveEntry {
  readonly row: ManifestRow;
  /** The mask's file; undefined for a left-out asset. */
  readonly mask: ArchivedMask | undefined;
}

export interface ArchivedMask {
  readonly name: string;
  readonly png: Buffer;
  /** Of `png`. */
  readonly sha256: Uint8Array;
}

export interface EntryOptions {
  readonly classes: readonly MappedClass[];
  readonly nameOf: (mask: MaskToName) => string;
  /** The messages of the asset disagree about its number of parts: it is rejected, whatever this one says. */
  readonly contradiction: boolean;
}

/** One entry. Masks must come in the order of index and part, for names are given on the way. */
export function archiveEntry({ envelope, asset, outcome }: AssetOutcome, { classes, nameOf, contradiction }: EntryOptions): ArchiveEntry {
  const { index = 0, part = 0, parts = 0 } = envelope ?? {};
  const { taskId = "", assetId = "", externalId = "", batches = [] } = asset ?? {};
  const identity = { index, taskId, assetId, externalId, batches };
  const leftOut = (result: ManifestRow["result"]): ArchiveEntry => ({
    row: { ...identity, part: undefined, page: undefined, result },
    mask: undefined,
  });
  if (contradiction) return leftOut({ outcome: "rejected", code: PARTS_DIFFER, reason: REJECT_CODES.parts_differ });
  switch (outcome?.$case) {
    case "rendered": {
      const file = nameOf({ taskId, index, part, parts });
      const numbered = parts > 1 ? { number: part + 1, of: parts } : undefined;
      return {
        row: { ...identity, part: numbered, page: asset?.page, result: maskResult(file, outcome.value, classes) },
        mask: { name: file, png: outcome.value.png, sha256: outcome.value.sha256 },
      };
    }
    case "skipped": {
      const { rule } = outcome.value;
      return leftOut({ outcome: "skipped", rule, reason: isSkipRule(rule) ? SKIP_RULES[rule] : rule });
    }
    default: {
      const { code, reason } = outcome?.value ?? { code: "failed", reason: "its outcome is missing" };
      return leftOut({ outcome: "rejected", code, reason });
    }
  }
}

function maskResult(file: string, mask: MaskRendered, classes: readonly MappedClass[]): ManifestRow["result"] {
  const { width, height, sha256 } = mask;
  const pixels = [...mask.pixels]
    .sort((a, b) => a.classIndex - b.classIndex)
    .map(({ classIndex, pixels: count }) => [classes[classIndex]?.title ?? `class ${classIndex}`, count] as const);
  return { outcome: "mask", file, width, height, sha256, pixels, dropped: droppedByKind(mask.dropped) };
}

function droppedByKind(dropped: readonly DroppedObjects[]): [string, number][] {
  const byKind = new Map<string, number>();
  for (const { kind, count } of dropped) byKind.set(kind, (byKind.get(kind) ?? 0) + count);
  return [...byKind].sort(([a], [b]) => (a < b ? -1 : 1));
}

function isSkipRule(rule: string): rule is keyof typeof SKIP_RULES {
  return Object.hasOwn(SKIP_RULES, rule);
}
