/** Which assets of a session leave spans: so many that a trace of any session stays small enough to be read. Pure. */
import { type TraceParent, traceIdOf } from "./traceparent.js";

/**
 * Keeps about `budget` of `total` assets, all when there are fewer: the asset's share of a hash over trace and index decides, so that an
 * asset that is published again is kept again, and another session keeps others.
 */
export function createAssetSampler(session: TraceParent, total: number, budget: number): (index: number) => boolean {
  if (total <= budget) return () => true;
  const threshold = (budget / total) * 2 ** 32;
  const seed = Number.parseInt(traceIdOf(session).slice(-8), 16);
  return (index) => mixed(seed ^ Math.imul(index + 1, 0x9e3779b1)) < threshold;
}

/** The finalizer of MurmurHash3: every bit of the input changes half of the bits of the result. */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
