/** One way to make masks in a thread of its own, so that each way's code is compiled for itself alone, as in a service. */
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { Painter } from "../../services/rasterizer/paint.js";
import type { PngEncoder, PngFormat } from "../../services/rasterizer/png-format.js";
import { RunPngEncoder } from "../../services/rasterizer/png-runs.js";
import { sceneMix } from "./scene-mix.js";

export type Way = "runs" | "sharp";

/** Make this mask so many times. */
export interface Task {
  readonly format: PngFormat;
  readonly calls: number;
}

export interface Measured {
  /** Of one call, on average. */
  readonly milliseconds: number;
  readonly bytes: number;
}

async function createEncoder(way: Way): Promise<PngEncoder> {
  if (way === "runs") return new RunPngEncoder();
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
  const { SharpPngEncoder } = await import("../../services/rasterizer/encode-sharp.js");
  return new SharpPngEncoder();
}

const painter = new Painter();
const encoder = await createEncoder(workerData as Way);

async function measure({ format, calls }: Task): Promise<Measured> {
  const scene = sceneMix(format.width, format.height);
  let bytes = 0;
  const start = performance.now();
  for (let call = 0; call < calls; call++) {
    encoder.start(format);
    painter.paint(scene, (row, above) => encoder.row(row, above));
    bytes = (await encoder.finish()).length;
  }
  return { milliseconds: (performance.now() - start) / calls, bytes };
}

parentPort?.on("message", async (task: Task) => parentPort?.postMessage(await measure(task)));
