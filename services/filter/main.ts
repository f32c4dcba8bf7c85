/** The filter service: wiring only. */
import { pipeline } from "../../proto/pipeline.js";
import type { GatewayConnection } from "../runtime/gateway-calls.js";
import type { Platform, Service } from "../runtime/service.js";
import type { Step } from "../runtime/step.js";
import { runStepLoop } from "../runtime/step-loop.js";
import { createWorkers, type Workers } from "../runtime/workers.js";
import { type ContextCache, createContextCache } from "./context-cache.js";
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

/** Rows that wait for a worker, in bytes; a row alone may be larger. */
const MAX_HELD_BYTES = 32 * 2 ** 20;
/** From this delivery on, a message is worked on in a process of its own (docs/delivery.md rule 15). */
const ISOLATED_FROM_ATTEMPT = 3;

/** Consumes exported assets until it is stopped. */
export async function startFilter(platform: Platform, options: FilterOptions): Promise<Service> {
  const { bus, onFatal } = platform;
  const log = platform.log.child({ service: "filter" });
  const { gateways, concurrency, limits, unknownRunMs, drainMs } = options;
  const contexts = createContextCache({ gateways, pack: (context) => packContext(context, limits), unknownRunMs, log });
  const workers = createWorkers(new URL("./worker.js", import.meta.url), concurrency);
  const loop = await runStepLoop({
    bus,
    queue: pipeline.assetExported.queue(),
    step: filterStep(contexts, workers),
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

function filterStep(contexts: ContextCache, workers: Workers): Step {
  return async ({ key: run, body, attempt }, signal) => {
    const shared = await contexts.get(run);
    if (!shared) return [];
    return workers.run({ input: body, sharedKey: run, shared }, { isolated: attempt >= ISOLATED_FROM_ATTEMPT, signal });
  };
}
