/**
 * How KEDA and the HorizontalPodAutoscaler that it makes count pods by lag, as a function of time, lag and pods. Pure. After the documentation
 * of both: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ (algorithm, tolerance, behaviour) and
 * https://keda.sh/docs/latest/concepts/scaling-deployments/ (activation, polling, cooldown).
 */

export interface Policy {
  readonly type: "Percent" | "Pods";
  readonly value: number;
  readonly periodSeconds: number;
}

/** How fast pods may come or go: the policy that allows the most counts. */
export interface Behaviour {
  readonly stabilizationWindowSeconds: number;
  readonly policies: readonly Policy[];
}

export interface ScalingSettings {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Messages for each pod. */
  readonly lagThreshold: number;
  readonly activationLagThreshold: number;
  readonly pollingSeconds: number;
  readonly cooldownSeconds: number;
  readonly scaleUp: Behaviour;
  readonly scaleDown: Behaviour;
}

export interface Autoscaler {
  /** The number of pods that is wanted from now on. Called with growing times. */
  replicasAt(second: number, lag: number, replicas: number): number;
}

/** The HPA looks at its metrics so often... */
export const HPA_PERIOD_SECONDS = 15;
/** ...and leaves things as they are while the ratio to the target is so near to 1. */
export const TOLERANCE = 0.1;

interface Change {
  readonly second: number;
  /** Pods that came (above 0) or went. */
  readonly by: number;
}

export function createAutoscaler(settings: ScalingSettings): Autoscaler {
  const changes: Change[] = [];
  const wanted: { readonly second: number; readonly replicas: number }[] = [];
  let nextPoll = 0;
  let nextLook = 0;
  let lastActive = Number.NEGATIVE_INFINITY;

  /** KEDA alone brings the first pod and takes the last one. */
  const polled = (second: number, lag: number, replicas: number) => {
    const active = lag > settings.activationLagThreshold;
    if (active) lastActive = second;
    if (replicas === 0) return active ? Math.max(1, settings.minReplicas) : 0;
    return settings.minReplicas === 0 && second - lastActive >= settings.cooldownSeconds ? 0 : replicas;
  };

  const looked = (second: number, lag: number, replicas: number) => {
    const recommended = recommendation(settings, lag, replicas);
    wanted.push({ second, replicas: recommended });
    const steady = stabilized(settings, wanted, second, replicas);
    return clamp(limited(settings, changes, second, replicas, steady), Math.max(1, settings.minReplicas), settings.maxReplicas);
  };

  return {
    replicasAt(second, lag, replicas) {
      let next = replicas;
      if (second >= nextPoll) {
        nextPoll = second + settings.pollingSeconds;
        next = polled(second, lag, next);
      }
      if (second >= nextLook) {
        nextLook = second + HPA_PERIOD_SECONDS;
        if (next > 0) next = looked(second, lag, next);
      }
      if (next !== replicas) changes.push({ second, by: next - replicas });
      return next;
    },
  };
}

/** `ceil(lag / threshold)`, or what there is where that is near enough. */
export function recommendation({ lagThreshold }: ScalingSettings, lag: number, replicas: number): number {
  const ratio = lag / (lagThreshold * replicas);
  return Math.abs(ratio - 1) <= TOLERANCE ? replicas : Math.ceil(lag / lagThreshold);
}

/** Up only to what was wanted all the time of its window, down only to the most that was wanted in its own. */
function stabilized(
  { scaleUp, scaleDown }: ScalingSettings,
  wanted: readonly { readonly second: number; readonly replicas: number }[],
  second: number,
  replicas: number,
): number {
  const within = (seconds: number) => wanted.filter((one) => one.second >= second - seconds).map((one) => one.replicas);
  const atLeast = Math.min(...within(scaleUp.stabilizationWindowSeconds));
  const atMost = Math.max(...within(scaleDown.stabilizationWindowSeconds));
  return Math.min(Math.max(replicas, atLeast), atMost);
}

function limited(
  { scaleUp, scaleDown }: ScalingSettings,
  changes: readonly Change[],
  second: number,
  replicas: number,
  steady: number,
): number {
  const atStart = ({ periodSeconds }: Policy) =>
    changes.filter((change) => change.second > second - periodSeconds).reduce((count, { by }) => count - by, replicas);
  if (steady > replicas) {
    const limits = scaleUp.policies.map((policy) =>
      policy.type === "Pods" ? atStart(policy) + policy.value : Math.ceil(atStart(policy) * (1 + policy.value / 100)),
    );
    return Math.max(replicas, Math.min(steady, Math.max(...limits)));
  }
  const limits = scaleDown.policies.map((policy) =>
    policy.type === "Pods" ? atStart(policy) - policy.value : Math.floor(atStart(policy) * (1 - policy.value / 100)),
  );
  return Math.min(replicas, Math.max(steady, Math.min(...limits)));
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
