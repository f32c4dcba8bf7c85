/** What a simulation starts from: the chart's own settings and the assumed figures, with whatever is asked for instead. */
import { z } from "zod";
import { readValues } from "../helm/chart-files.js";
import { FIGURES } from "./figures.js";
import { readScaledObject, scalingSettings } from "./scaled-objects.js";
import { SCALED, type Scaled, type SessionInputs } from "./session-model.js";

export interface Asked {
  readonly assets?: number | undefined;
  readonly maskMs?: number | undefined;
  readonly filterMs?: number | undefined;
  readonly startSeconds?: number | undefined;
  readonly window?: number | undefined;
  /** Rasterizers at most. */
  readonly max?: number | undefined;
  /** Messages for each rasterizer. */
  readonly threshold?: number | undefined;
  readonly gatewayPerSecond?: number | undefined;
  readonly packagerPerSecond?: number | undefined;
}

/** The rendering whose ScaledObjects have the chart's defaults. */
export const DEFAULT_RENDERING = "hardened";

const chartValues = z.object({
  sessionWindow: z.number(),
  filter: z.object({ concurrency: z.number() }),
  rasterizer: z.object({ concurrency: z.number() }),
});

export function sessionInputs(asked: Asked, rendering = DEFAULT_RENDERING): SessionInputs {
  const { sessionWindow, filter, rasterizer } = chartValues.parse(readValues());
  const scaling = new Map(SCALED.map((role) => [role, scalingSettings(readScaledObject(rendering, role))]));
  const of = (role: Scaled) => scaling.get(role) ?? fail(role);
  return {
    assets: asked.assets ?? FIGURES.assets,
    window: asked.window ?? sessionWindow,
    gatewayPerSecond: asked.gatewayPerSecond ?? FIGURES.gatewayPerSecond,
    packagerPerSecond: asked.packagerPerSecond ?? FIGURES.packagerPerSecond,
    syncSeconds: FIGURES.syncSeconds,
    startSeconds: asked.startSeconds ?? FIGURES.startSeconds,
    work: {
      filter: { milliseconds: asked.filterMs ?? FIGURES.filterMs, concurrency: filter.concurrency },
      rasterizer: { milliseconds: asked.maskMs ?? FIGURES.rasterizerMs, concurrency: rasterizer.concurrency },
    },
    scaling: {
      filter: of("filter"),
      rasterizer: {
        ...of("rasterizer"),
        maxReplicas: asked.max ?? of("rasterizer").maxReplicas,
        lagThreshold: asked.threshold ?? of("rasterizer").lagThreshold,
      },
    },
  };
}

function fail(role: string): never {
  throw new Error(`there are no settings for ${role}`);
}
