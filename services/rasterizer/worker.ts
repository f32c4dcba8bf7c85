/** STEP 3 in a worker thread: bytes in, bytes out. Keeps the painter's and the encoder's buffers from mask to mask. */
import { MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { WorkerResult, WorkerTask } from "../runtime/workers.js";
import { MaskRenderer } from "./mask-renderer.js";
import type { PngEncoder } from "./png-format.js";
import { RunPngEncoder } from "./png-runs.js";
import { type RasterizerSettings, unpackSettings } from "./settings.js";

let renderer: Promise<MaskRenderer> | undefined;

export default async function rasterStep({ input, shared }: WorkerTask): Promise<WorkerResult> {
  if (shared === undefined) throw new Error("the rasterizer's worker was given no settings");
  renderer ??= createRenderer(unpackSettings(shared));
  return { outputs: await (await renderer).render(MaskRequested.decode(input)) };
}

async function createRenderer(settings: RasterizerSettings): Promise<MaskRenderer> {
  return new MaskRenderer(settings, await encoderOf(settings));
}

/** Sharp brings a large library along, so it is only loaded where it was asked for. */
async function encoderOf({ pngEncoder, pngBytes }: RasterizerSettings): Promise<() => PngEncoder> {
  if (pngEncoder === "runs") return () => new RunPngEncoder(pngBytes);
  const { SharpPngEncoder } = await import("./encode-sharp.js");
  return () => new SharpPngEncoder(pngBytes);
}
