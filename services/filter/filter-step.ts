/**
 * STEP 2 around its workers: they filter the asset (filter-asset.ts). When they need images for it, their first bytes are fetched here, where
 * waiting costs no thread, and given to a worker: hostile bytes are read on no main thread.
 */
import { Reject } from "../runtime/errors.js";
import type { StepInput, StepOutput } from "../runtime/step.js";
import type { Work } from "../runtime/worker-service.js";
import type { ImageSizeSource } from "./image-sizes.js";
import type { Measure } from "./read-image-size.js";
import { answerIn, encodeTask, isNoMessage } from "./worker-tasks.js";

/** @throws Retry when the asset has more images than can be read in one go. */
export async function filterInWorkers(
  { key, body }: Pick<StepInput, "key" | "body">,
  images: Pick<ImageSizeSource, "find">,
  work: Work,
  signal: AbortSignal,
): Promise<readonly StepOutput[]> {
  if (isNoMessage(body)) throw new Reject("failed", "the message is not an AssetExported");
  const outputs = await work(body);
  const answer = answerIn(outputs);
  if (!answer) return outputs;
  if (!("needed" in answer)) throw new Error("a worker answered something else than it was asked");
  const sizes = await images.find(key, answer.needed, measureWith(work), signal);
  const again = await work(encodeTask({ message: body, images: sizes }));
  if (answerIn(again)) throw new Error("a worker asks for images that it was told about");
  return again;
}

function measureWith(work: Work): Measure {
  return async (head) => {
    const answer = answerIn(await work(encodeTask({ head })));
    if (!answer || !("measured" in answer)) throw new Error("a worker answered something else than it was asked");
    return answer.measured;
  };
}
