/** STEP 2 in a worker thread: bytes in, bytes out. Keeps the prepared contexts of the runs it saw last. */
import { AssetExported } from "../../proto/gen/maskline/v1/pipeline.js";
import type { WorkerResult, WorkerTask } from "../runtime/workers.js";
import { filterAsset } from "./filter-asset.js";
import { createLru } from "./lru.js";
import { type Prepared, unpackContext } from "./shared-context.js";

const KEPT_RUNS = 16;
const prepared = createLru<Prepared>(KEPT_RUNS);

export default function filterStep({ input, shared, sharedKey }: WorkerTask): WorkerResult {
  if (shared === undefined || sharedKey === undefined) throw new Error("the filter's worker was given no run context");
  const { context, limits } = preparedOf(sharedKey, shared);
  return { outputs: filterAsset(AssetExported.decode(input), context, limits) };
}

function preparedOf(run: string, shared: Uint8Array): Prepared {
  const kept = prepared.get(run);
  if (kept) return kept;
  const fresh = unpackContext(shared);
  prepared.set(run, fresh);
  return fresh;
}
