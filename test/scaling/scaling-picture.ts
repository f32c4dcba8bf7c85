/** The courses that docs/scaling.md tells of, and its picture. */
import { HEAVY_FACTOR } from "./figures.js";
import { type Asked, sessionInputs } from "./inputs.js";
import { scalingChart } from "./scaling-chart.js";
import { type SessionCourse, type SessionInputs, simulateSession } from "./session-model.js";

const DAY = 86_400;
/** So long after the last asset the pods are still watched. */
const IDLE_SECONDS = 420;

export function courseOf(inputs: SessionInputs): SessionCourse {
  return simulateSession(inputs, { until: DAY, idle: IDLE_SECONDS });
}

export function titleOf({ assets, work }: SessionInputs): string {
  return `${assets.toLocaleString("en")} assets, ${work.rasterizer.milliseconds} ms a mask`;
}

export interface Outcome {
  /** Until the last asset was final, with one decimal; undefined: not within a day. */
  readonly minutes: string | undefined;
  /** At most. */
  readonly rasterizers: number;
  readonly podHours: string;
}

export function outcomeOf({ finishedAt, samples, podSeconds }: SessionCourse): Outcome {
  return {
    minutes: finishedAt === undefined ? undefined : (finishedAt / 60).toFixed(1),
    rasterizers: Math.max(...samples.map(({ replicas }) => replicas.rasterizer)),
    podHours: ((podSeconds.filter + podSeconds.rasterizer) / 3600).toFixed(1),
  };
}

/** What was asked for, and the same with masks that take ten times as long. */
export function scalingPicture(asked: Asked, rendering?: string): string {
  const light = sessionInputs(asked, rendering);
  const heavy = sessionInputs({ ...asked, maskMs: light.work.rasterizer.milliseconds * HEAVY_FACTOR }, rendering);
  return scalingChart([light, heavy].map((inputs) => ({ title: titleOf(inputs), course: courseOf(inputs) })));
}
