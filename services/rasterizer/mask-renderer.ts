/** Renders masks one after the other, and keeps the buffers that this takes while they are small. */
import type { MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import type { StageTime, StepOutput } from "../runtime/step.js";
import { Painter } from "./paint.js";
import type { PngEncoder } from "./png-format.js";
import { renderMask } from "./render-mask.js";
import type { MaskLimits } from "./settings.js";

/** Many times what an image of 4K takes. Whatever has grown larger is given up, so that one huge mask does not fill a worker for ever. */
const MOST_KEPT_BYTES = 4 * 2 ** 20;

export class MaskRenderer {
  readonly #limits: MaskLimits;
  readonly #createEncoder: () => PngEncoder;
  #painter = new Painter();
  #encoder: PngEncoder;

  constructor(limits: MaskLimits, createEncoder: () => PngEncoder) {
    this.#limits = limits;
    this.#createEncoder = createEncoder;
    this.#encoder = createEncoder();
  }

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.#painter.heldBytes + this.#encoder.heldBytes;
  }

  /** See `renderMask`. Never two at a time. */
  async render(message: MaskRequested): Promise<StepOutput[]> {
    let stages: readonly StageTime[] = [];
    const onStages = (times: readonly StageTime[]) => {
      stages = times;
    };
    try {
      const outputs = await renderMask(message, { painter: this.#painter, encoder: this.#encoder, limits: this.#limits, onStages });
      return outputs.map((output) => ({ ...output, stages }));
    } finally {
      if (this.#painter.heldBytes > MOST_KEPT_BYTES) this.#painter = new Painter();
      if (this.#encoder.heldBytes > MOST_KEPT_BYTES) this.#encoder = this.#createEncoder();
    }
  }
}
