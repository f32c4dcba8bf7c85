/** A bus that spoils the messages of some assets, named by words in them: what a step does that fails, or gives nothing. */
import { ColourMode, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { pipeline, roundOf } from "../../proto/pipeline.js";
import type { Bus, OutgoingMessage } from "../../services/runtime/bus/bus.js";

/** Task ids of assets that something is done to. */
export const POISON = {
  /** The rasterizer can not read its message, the first time. */
  throwsOnce: "poison-throws-once",
  throwsAlways: "poison-throws-always",
  /** The rasterizer is asked for what it does not know. */
  refused: "poison-refused",
  /** The asset's outcome never comes, the first time. */
  nothingOnce: "poison-nothing-once",
  nothingAlways: "poison-nothing-always",
} as const;

export function poisonedBus(bus: Bus): Bus {
  return {
    ...bus,
    async publish(message, signal) {
      const spoiled = spoil(message);
      if (spoiled) await bus.publish(spoiled, signal);
    },
  };
}

function spoil(message: OutgoingMessage): OutgoingMessage | undefined {
  const { queue, body, id } = message;
  const isFor = (poison: string) => Buffer.from(body).includes(poison);
  const first = roundOf(id) === 0;
  if (queue === pipeline.maskRequested.queue()) {
    if (isFor(POISON.throwsAlways) || (first && isFor(POISON.throwsOnce))) return { ...message, body: body.subarray(0, body.length - 1) };
    if (isFor(POISON.refused))
      return { ...message, body: MaskRequested.encode({ ...MaskRequested.decode(body), mode: ColourMode.UNSPECIFIED }).finish() };
  }
  if (queue.startsWith("out.") && (isFor(POISON.nothingAlways) || (first && isFor(POISON.nothingOnce)))) return undefined;
  return message;
}
