/** The filter service: wiring only. */
import { pipeline } from "../../proto/pipeline.js";
import type { GatewayConnection } from "../runtime/gateway-calls.js";
import type { Platform, Service } from "../runtime/service.js";
import { startWorkerService } from "../runtime/worker-service.js";
import { createContextCache } from "./context-cache.js";
import type { FilterLimits } from "./limits.js";
import { rejectAsset } from "./reject-asset.js";
import { packContext } from "./shared-context.js";

export interface FilterOptions {
  /** All gateways; whoever made the connections closes them. */
  readonly gateways: readonly GatewayConnection[];
  /** Worker threads. */
  readonly concurrency: number;
  readonly limits: FilterLimits;
  readonly unknownRunMs: number;
  /** How long stopping may take. */
  readonly drainMs: number;
}

/** Consumes exported assets until it is stopped. */
export function startFilter(platform: Platform, options: FilterOptions): Promise<Service> {
  const log = platform.log.child({ service: "filter" });
  const { gateways, concurrency, limits, unknownRunMs, drainMs } = options;
  const contexts = createContextCache({ gateways, pack: (context) => packContext(context, limits), unknownRunMs, log });
  return startWorkerService(
    { ...platform, log },
    {
      queue: pipeline.assetExported.queue(),
      module: new URL("./worker.js", import.meta.url),
      concurrency,
      sharedFor: async (run) => {
        const shared = await contexts.get(run);
        return shared && { sharedKey: run, shared };
      },
      onReject: ({ body }, failure) => rejectAsset(body, failure),
      drainMs,
    },
  );
}
