/** Objects that are not painted, counted by kind. */
import type { DroppedObjects } from "../../proto/gen/maskline/v1/pipeline.js";
import { DROPPED_KINDS } from "../../proto/outcomes.js";

/** Names come from the export: so many different ones an asset are told apart, the rest are counted together. */
const MOST_KINDS = 32;

export interface DroppedCount {
  /** One more object of that kind. */
  add(kind: string): void;
  /** In the order of their first object. */
  list(): DroppedObjects[];
}

export function countDropped(): DroppedCount {
  const counts = new Map<string, number>();
  return {
    add(kind) {
      const counted = counts.has(kind) || counts.size < MOST_KINDS ? kind : DROPPED_KINDS.otherTools;
      counts.set(counted, (counts.get(counted) ?? 0) + 1);
    },
    list: () => Array.from(counts, ([kind, count]) => ({ kind, count })),
  };
}
