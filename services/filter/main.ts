/** The filter service: wiring only. */
import { pipeline } from "../../proto/pipeline.js";
import type { GatewayConnection } from "../runtime/gateway-calls.js";
import type { Platform, Service } from "../runtime/service.js";
import { startWorkerService } from "../runtime/worker-service.js";
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

/** Consumes exported assets until it is stopped. */
export async function startFilter(platform: Platform, options: FilterOptions): Promise<Service> {
  const log = platform.log.child({ service: "filter" });
  const { gateways, concurrency, limits, unknownRunMs, drainMs } = options;
  const contexts = createContextCache({ gateways, pack: (context) => packContext(context, limits), unknownRunMs, log });
  const images = createImageSizes(options.images);
  const service = await startWorkerService(
    { ...platform, log },
    {
      queue: pipeline.assetExported.queue(),
      module: new URL("./worker.js", import.meta.url),
      concurrency,
      sharedFor: async (key) => {
        const shared = await contexts.get(key);
        return shared && { shared, sharedKey: key };
      },
      around: (input, work, signal) => filterInWorkers(input, images, work, signal),
      // Those that wait for images keep no worker from the others.
      stepsAtOnce: concurrency + options.images.concurrency,
      onReject: ({ body }, failure) => rejectAsset(body, failure),
      drainMs,
    },
  );
  let stopped: Promise<void> | undefined;
  return {
    ...service,
    stop() {
      stopped ??= service.stop().then(() => images.close());
      return stopped;
    },
  };
}
