/** A run's context and the installation's limits as one block of shared memory, so that handing it to a worker costs nothing. */
import { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { type FilterContext, prepareContext } from "./filter-context.js";
import type { FilterLimits } from "./limits.js";

/** The limits, as doubles, stand before the encoded RunContext; yes is 1. */
const LIMITS = [
  "imagePixels",
  "pointsPerContour",
  "pointsPerAsset",
  "partsPerAsset",
  "readsImages",
] as const satisfies readonly (keyof FilterLimits)[];
const HEADER_BYTES = LIMITS.length * 8;

export interface Prepared {
  readonly context: FilterContext;
  readonly limits: FilterLimits;
}

export function packContext(context: RunContext, limits: FilterLimits): Uint8Array {
  const encoded = RunContext.encode(context).finish();
  const shared = new Uint8Array(new SharedArrayBuffer(HEADER_BYTES + encoded.length));
  const header = new DataView(shared.buffer);
  LIMITS.forEach((name, at) => {
    header.setFloat64(at * 8, Number(limits[name]));
  });
  shared.set(encoded, HEADER_BYTES);
  return shared;
}

/** Copies first: a text decoder may refuse shared memory. */
export function unpackContext(shared: Uint8Array): Prepared {
  const bytes = Buffer.from(shared);
  const limit = (name: (typeof LIMITS)[number]) => bytes.readDoubleBE(LIMITS.indexOf(name) * 8);
  return {
    context: prepareContext(RunContext.decode(bytes.subarray(HEADER_BYTES))),
    limits: {
      imagePixels: limit("imagePixels"),
      pointsPerContour: limit("pointsPerContour"),
      pointsPerAsset: limit("pointsPerAsset"),
      partsPerAsset: limit("partsPerAsset"),
      readsImages: limit("readsImages") === 1,
    },
  };
}
