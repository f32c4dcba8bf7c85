/** The rasterizer service: wiring only. */
import { pipeline } from "../../proto/pipeline.js";
import type { Platform, Service } from "../runtime/service.js";
import type { Step } from "../runtime/step.js";
import { runStepLoop } from "../runtime/step-loop.js";
import { createWorkers, type Workers } from "../runtime/workers.js";
import { rejectAsset } from "./reject-asset.js";
import { packSettings, type RasterizerSettings } from "./settings.js";

export interface RasterizerOptions extends RasterizerSettings {
  /** Worker threads. */
  readonly concurrency: number;
  /** How long stopping may take. */
  readonly drainMs: number;
}

/** Requests that wait for a worker, in bytes; one alone may be larger. */
const MAX_HELD_BYTES = 32 * 2 ** 20;
/** From this delivery on, a message is worked on in a process of its own (docs/delivery.md rule 15). */
const ISOLATED_FROM_ATTEMPT = 3;

/** Paints requested masks until it is stopped. */
export async function startRasterizer(platform: Platform, options: RasterizerOptions): Promise<Service> {
  const { bus, onFatal } = platform;
  const log = platform.log.child({ service: "rasterizer" });
  const { concurrency, drainMs, ...settings } = options;
  const workers = createWorkers(new URL("./worker.js", import.meta.url), concurrency);
  const loop = await runStepLoop({
    bus,
    queue: pipeline.maskRequested.queue(),
    step: rasterStep(workers, packSettings(settings)),
    concurrency,
    maxHeldBytes: MAX_HELD_BYTES,
    onReject: ({ body }, failure) => rejectAsset(body, failure),
    log,
    onFatal,
  });

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await loop.stop(drainMs);
    await workers.close();
  };
  return {
    notReady: () => (bus.ready() ? undefined : "the bus is away"),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

function rasterStep(workers: Workers, shared: Uint8Array): Step {
  return ({ body, attempt }, signal) =>
    workers.run({ input: body, sharedKey: "settings", shared }, { isolated: attempt >= ISOLATED_FROM_ATTEMPT, signal });
}
