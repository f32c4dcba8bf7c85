/** STEP 3 in a worker thread: bytes in, bytes out. Keeps the painter's and the encoder's buffers from mask to mask. */
import { MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { WorkerResult, WorkerTask } from "../runtime/workers.js";
import { Painter } from "./paint.js";
import type { PngEncoder } from "./png-format.js";
import { RunPngEncoder } from "./png-runs.js";
import { type Renderer, renderMask } from "./render-mask.js";
import { type RasterizerSettings, unpackSettings } from "./settings.js";

let renderer: Promise<Renderer> | undefined;

export default async function rasterStep({ input, shared }: WorkerTask): Promise<WorkerResult> {
  if (shared === undefined) throw new Error("the rasterizer's worker was given no settings");
  renderer ??= createRenderer(unpackSettings(shared));
  return { outputs: await renderMask(MaskRequested.decode(input), await renderer) };
}

async function createRenderer(settings: RasterizerSettings): Promise<Renderer> {
  return { painter: new Painter(), encoder: await createEncoder(settings.pngEncoder), limits: settings };
}

/** Sharp brings a large library along, so it is only loaded where it was asked for. */
async function createEncoder(name: RasterizerSettings["pngEncoder"]): Promise<PngEncoder> {
  if (name === "runs") return new RunPngEncoder();
  const { SharpPngEncoder } = await import("./encode-sharp.js");
  return new SharpPngEncoder();
}
