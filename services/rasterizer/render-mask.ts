/** STEP 3: what is to be painted becomes a PNG file, and how many pixels of each class it has. */
import { createHash } from "node:crypto";
import { AssetOutcome, type ClassPixels, type MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { idSuffix, pipeline } from "../../proto/pipeline.js";
import type { StageTime, StepOutput } from "../runtime/step.js";
import { checkCost, checkRequest, type Refusal } from "./check-request.js";
import { type MaskScene, maskScene } from "./mask-scene.js";
import type { Painter } from "./paint.js";
import { type PngEncoder, PngTooLarge } from "./png-format.js";
import { assetRejected } from "./reject-asset.js";
import type { RowRuns } from "./row-runs.js";
import type { MaskLimits } from "./settings.js";

/** What paints one mask after the other; never two at a time. */
export interface Renderer {
  readonly painter: Painter;
  readonly encoder: PngEncoder;
  readonly limits: MaskLimits;
  /** Told how long a mask took. */
  readonly onStages?: (stages: readonly StageTime[]) => void;
}

/**
 * Paints one mask. The same request always gives the same bytes.
 * @returns one AssetOutcome: rendered, or rejected with `no_size`, `over_limit`, `bad_geometry` or `failed`
 * @throws Error when the message does not say where it belongs
 */
export async function renderMask(message: MaskRequested, renderer: Renderer): Promise<StepOutput[]> {
  const { limits } = renderer;
  const { envelope, asset, width, height, dropped } = message;
  if (!envelope) throw new Error("a MaskRequested has no envelope");
  const rejected = (refusal: Refusal) => [assetRejected(envelope, asset, refusal, idSuffix.rendered)];
  const wrong = checkRequest(message, limits);
  if (wrong) return rejected(wrong);
  const mask = maskScene(message);
  const tooMuch = checkCost(mask.scene, limits);
  if (tooMuch) return rejected(tooMuch);

  const painted = await paintFile(mask, renderer);
  if (painted === "too large") {
    return rejected({
      code: "over_limit",
      reason: `its file has more than the ${limits.pngBytes} bytes that this installation writes (PNG_LIMIT)`,
    });
  }
  const { file, pixels } = painted;
  const png = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const sha256 = createHash("sha256").update(png).digest();
  const outcome = { $case: "rendered", value: { width, height, png, sha256, pixels, dropped } } as const;
  const body = AssetOutcome.encode({ envelope, asset, outcome }).finish();
  return [{ queue: pipeline.assetOutcome.queue(envelope.packager), suffix: idSuffix.rendered, body }];
}

async function paintFile({ scene, format, classIndexes }: MaskScene, { painter, encoder, onStages }: Renderer) {
  const counts = new Float64Array(classIndexes.length);
  const startMs = Date.now();
  const startedAt = performance.now();
  try {
    encoder.start(format);
    painter.paint(scene, (row, above) => {
      countPixels(row, counts);
      encoder.row(row, above);
    });
    const paintedAt = performance.now();
    const file = await encoder.finish();
    onStages?.(stagesOf(startMs, paintedAt - startedAt, performance.now() - startedAt));
    return { file, pixels: pixelsPerClass(classIndexes, counts) };
  } catch (error) {
    if (error instanceof PngTooLarge) return "too large";
    throw error;
  }
}

/** The encoder takes rows while they are painted; what is left to it after the last one is its own stage. */
function stagesOf(startMs: number, paintedMs: number, finishedMs: number): StageTime[] {
  return [
    { stage: "paint", startMs, endMs: startMs + paintedMs },
    { stage: "encode", startMs: startMs + paintedMs, endMs: startMs + finishedMs },
  ];
}

function countPixels({ end, label, count }: RowRuns, counts: Float64Array): void {
  let column = 0;
  for (let run = 0; run < count; run++) {
    const of = label[run] as number;
    counts[of] = (counts[of] as number) + (end[run] as number) - column;
    column = end[run] as number;
  }
}

/** Classes that have pixels, in the context's order. */
function pixelsPerClass(classIndexes: readonly number[], counts: Float64Array): ClassPixels[] {
  const pixels = new Map<number, number>();
  for (let label = 1; label < classIndexes.length; label++) {
    const classIndex = classIndexes[label] as number;
    pixels.set(classIndex, (pixels.get(classIndex) ?? 0) + (counts[label] as number));
  }
  return [...pixels]
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => a - b)
    .map(([classIndex, count]) => ({ classIndex, pixels: count }));
}
