/** The filter service: wiring only. */
import { pipeline } from "../../proto/pipeline.js";
import type { GatewayConnection } from "../runtime/gateway-calls.js";
import type { Platform, Service } from "../runtime/service.js";
import { createSlots } from "../runtime/slots.js";
import { runStepLoop } from "../runtime/step-loop.js";
import { observedStep } from "../runtime/telemetry/observed-step.js";
import { createWorkers, needsIsolation } from "../runtime/workers.js";
import { createContextCache } from "./context-cache.js";
import { filterInWorkers } from "./filter-step.js";
import { createImageSizes, type ImageSettings } from "./image-sizes.js";
import type { FilterLimits } from "./limits.js";
import { rejectAsset } from "./reject-asset.js";
import { packContext } from "./shared-context.js";

export interface FilterOptions {
  /** All gateways; whoever made the connections closes them. */
  readonly gateways: readonly GatewayConnection[];
  /** Worker threads. */
  readonly concurrency: number;
  readonly limits: FilterLimits;
  readonly images: ImageSettings;
  readonly unknownRunMs: number;
  /** How long stopping may take. */
  readonly drainMs: number;
}

/** Messages that wait for a worker, in bytes; one alone may be larger. */
const MAX_HELD_BYTES = 32 * 2 ** 20;

/** Consumes exported assets until it is stopped. */
export async function startFilter({ bus, log: parentLog, onFatal }: Platform, options: FilterOptions): Promise<Service> {
  const log = parentLog.child({ service: "filter" });
  const { gateways, concurrency, limits, unknownRunMs, drainMs } = options;
  const contexts = createContextCache({ gateways, pack: (context) => packContext(context, limits), unknownRunMs, log });
  const images = createImageSizes(options.images);
  const workers = createWorkers(new URL("./worker.js", import.meta.url), concurrency);
  // Each suspect message has a process of its own.
  const processes = createSlots(concurrency);
  const loop = await runStepLoop({
    bus,
    queue: pipeline.assetExported.queue(),
    step: observedStep(pipeline.assetExported.queue(), async (input, signal) => {
      const shared = await contexts.get(input.key);
      if (!shared) return [];
      const isolated = needsIsolation(input);
      const run = (task: Uint8Array) => workers.run({ input: task, sharedKey: input.key, shared }, { isolated, signal });
      const work = isolated ? (task: Uint8Array) => processes.within(() => run(task), signal) : run;
      return filterInWorkers(input, images, work, signal);
    }),
    // Those that wait for images keep no worker from the others.
    concurrency: concurrency + options.images.concurrency,
    maxHeldBytes: MAX_HELD_BYTES,
    onReject: ({ body }, failure) => rejectAsset(body, failure),
    log,
    onFatal,
  });

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await loop.stop(drainMs);
    await images.close();
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
