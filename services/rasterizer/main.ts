/** The rasterizer service: wiring only. */
import { pipeline } from "../../proto/pipeline.js";
import type { Platform, Service } from "../runtime/service.js";
import { startWorkerService } from "../runtime/worker-service.js";
import { rejectAsset } from "./reject-asset.js";
import { packSettings, type RasterizerSettings } from "./settings.js";

export interface RasterizerOptions extends RasterizerSettings {
  /** Worker threads. */
  readonly concurrency: number;
  /** How long stopping may take. */
  readonly drainMs: number;
}

/** Paints requested masks until it is stopped. */
export function startRasterizer(platform: Platform, options: RasterizerOptions): Promise<Service> {
  const { concurrency, drainMs, ...settings } = options;
  const shared = { sharedKey: "settings", shared: packSettings(settings) };
  return startWorkerService(
    { ...platform, log: platform.log.child({ service: "rasterizer" }) },
    {
      queue: pipeline.maskRequested.queue(),
      module: new URL("./worker.js", import.meta.url),
      concurrency,
      sharedFor: async () => shared,
      onReject: ({ body }, failure) => rejectAsset(body, failure),
      drainMs,
    },
  );
}
