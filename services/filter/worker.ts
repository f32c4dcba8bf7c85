/** STEP 2 in a worker thread: bytes in, bytes out. Keeps the prepared contexts of the runs it saw last. */
import { AssetExported } from "../../proto/gen/maskline/v1/pipeline.js";
import type { WorkerResult, WorkerTask } from "../runtime/workers.js";
import { filterAsset } from "./filter-asset.js";
import type { ImageHead } from "./image-header.js";
import { createLru } from "./lru.js";
import { type Prepared, unpackContext } from "./shared-context.js";
import { decodeTask, encodeAnswer } from "./worker-tasks.js";

const KEPT_RUNS = 16;
const prepared = createLru<Prepared>(KEPT_RUNS);

export default function filterStep({ input, shared, sharedKey }: WorkerTask): WorkerResult | Promise<WorkerResult> {
  if (shared === undefined || sharedKey === undefined) throw new Error("the filter's worker was given no run context");
  const task = decodeTask(input);
  if ("head" in task) return measure(task.head);
  const { context, limits } = preparedOf(sharedKey, shared);
  const filtered = filterAsset(AssetExported.decode(task.message), task.images, context, limits);
  return { outputs: "needed" in filtered ? [encodeAnswer(filtered)] : filtered.outputs };
}

/** Loads what reads images when the first one comes: most exports need none. */
async function measure(head: ImageHead): Promise<WorkerResult> {
  const { measureImage } = await import("./image-header.js");
  return { outputs: [encodeAnswer({ measured: measureImage(head) })] };
}

function preparedOf(run: string, shared: Uint8Array): Prepared {
  const kept = prepared.get(run);
  if (kept) return kept;
  const fresh = unpackContext(shared);
  prepared.set(run, fresh);
  return fresh;
}
