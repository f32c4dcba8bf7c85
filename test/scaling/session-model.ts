/** One session through gateway, filters, rasterizers and packager while an autoscaler counts the pods: rates and queues over time. Pure. */
import { type Autoscaler, createAutoscaler, type ScalingSettings } from "./autoscaler.js";

export const SCALED = ["filter", "rasterizer"] as const;
export type Scaled = (typeof SCALED)[number];

export interface SessionInputs {
  readonly assets: number;
  /** SESSION_WINDOW: assets between publish and outcome. */
  readonly window: number;
  /** Rows that the gateway reads and publishes in a second. */
  readonly gatewayPerSecond: number;
  /** Outcomes that the packager takes in a second. */
  readonly packagerPerSecond: number;
  /** The packager tells the gateway so often what it has; only then new assets are published. */
  readonly syncSeconds: number;
  /** From the decision until a new pod works: scheduling, image, start, joining. */
  readonly startSeconds: number;
  readonly work: Readonly<Record<Scaled, WorkCost>>;
  readonly scaling: Readonly<Record<Scaled, ScalingSettings>>;
  /** Without an autoscaler: so many pods from the start. */
  readonly fixed?: Readonly<Record<Scaled, number>>;
}

export interface WorkCost {
  /** Processor time of one message. */
  readonly milliseconds: number;
  /** Messages that a pod works on at once, each on a core. */
  readonly concurrency: number;
}

export interface Sample {
  readonly second: number;
  readonly done: number;
  /** Outcomes in the last second. */
  readonly perSecond: number;
  readonly replicas: Readonly<Record<Scaled, number>>;
  /** Those that work already. */
  readonly ready: Readonly<Record<Scaled, number>>;
  readonly lag: Readonly<Record<Scaled, number>>;
}

export interface SessionCourse {
  readonly samples: readonly Sample[];
  /** When the last asset was final; undefined: not within the time simulated. */
  readonly finishedAt: number | undefined;
  /** Pods times seconds, until the end of the simulation. */
  readonly podSeconds: Readonly<Record<Scaled, number>>;
}

const STEP_SECONDS = 0.01;
const STEPS_PER_SECOND = Math.round(1 / STEP_SECONDS);

/** @param until seconds to simulate at most; `idle` of them after the last asset, to see the pods go */
export function simulateSession(inputs: SessionInputs, { until, idle }: { readonly until: number; readonly idle: number }): SessionCourse {
  const pools = { filter: createPool(inputs, "filter"), rasterizer: createPool(inputs, "rasterizer") };
  const samples: Sample[] = [];
  const podSeconds = { filter: 0, rasterizer: 0 };
  let [published, accounted, done, doneBefore] = [0, 0, 0, 0];
  const queued = { filter: 0, rasterizer: 0, packager: 0 };
  let finishedAt: number | undefined;

  for (let second = 0; second < until && (finishedAt === undefined || second < finishedAt + idle); second++) {
    const lag = { filter: queued.filter, rasterizer: queued.rasterizer };
    const replicas = { filter: pools.filter.scale(second, lag.filter), rasterizer: pools.rasterizer.scale(second, lag.rasterizer) };
    const ready = { filter: pools.filter.ready(second), rasterizer: pools.rasterizer.ready(second) };
    samples.push({ second, done, perSecond: done - doneBefore, replicas, ready, lag });
    doneBefore = done;
    for (const name of SCALED) podSeconds[name] += replicas[name];
    const rates = { filter: ready.filter * rateOf(inputs.work.filter), rasterizer: ready.rasterizer * rateOf(inputs.work.rasterizer) };
    const syncSteps = Math.max(1, Math.round(inputs.syncSeconds / STEP_SECONDS));

    for (let step = 0; step < STEPS_PER_SECOND; step++) {
      // From the end to the beginning, so that nothing passes two stages in a step.
      if (step % syncSteps === 0) accounted = done;
      const packed = Math.min(queued.packager, inputs.packagerPerSecond * STEP_SECONDS);
      const painted = Math.min(queued.rasterizer, rates.rasterizer * STEP_SECONDS);
      const filtered = Math.min(queued.filter, rates.filter * STEP_SECONDS);
      const room = Math.min(inputs.assets - published, Math.max(0, inputs.window - (published - accounted)));
      const sent = Math.min(room, inputs.gatewayPerSecond * STEP_SECONDS);
      done += packed;
      queued.packager += painted - packed;
      queued.rasterizer += filtered - painted;
      queued.filter += sent - filtered;
      published += sent;
    }
    if (finishedAt === undefined && done >= inputs.assets - 0.5) finishedAt = second + 1;
  }
  return { samples, finishedAt, podSeconds };
}

/** Messages that one pod works off in a second. */
export function rateOf({ milliseconds, concurrency }: WorkCost): number {
  return (concurrency * 1000) / milliseconds;
}

interface Pool {
  /** Asks the autoscaler; returns the pods there are now, starting ones included. */
  scale(second: number, lag: number): number;
  ready(second: number): number;
}

function createPool({ scaling, fixed, startSeconds }: SessionInputs, name: Scaled): Pool {
  const autoscaler: Autoscaler = fixed ? { replicasAt: (_second, _lag, replicas) => replicas } : createAutoscaler(scaling[name]);
  // When each of them works; those of the beginning do already.
  let pods: number[] = Array.from({ length: fixed?.[name] ?? scaling[name].minReplicas }, () => Number.NEGATIVE_INFINITY);
  return {
    scale(second, lag) {
      const wanted = autoscaler.replicasAt(second, lag, pods.length);
      const added = Array.from({ length: Math.max(0, wanted - pods.length) }, () => second + startSeconds);
      // The oldest stay.
      pods = [...pods, ...added].slice(0, wanted);
      return pods.length;
    },
    ready: (second) => pods.filter((readyAt) => readyAt <= second).length,
  };
}
