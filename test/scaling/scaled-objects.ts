/** The settings of the autoscalers, read from what the chart renders. */
import { z } from "zod";
import { readRendered } from "../helm/chart-files.js";
import type { ScalingSettings } from "./autoscaler.js";
import type { Scaled } from "./session-model.js";

const behaviour = z.object({
  stabilizationWindowSeconds: z.number(),
  policies: z.array(z.object({ type: z.enum(["Percent", "Pods"]), value: z.number(), periodSeconds: z.number() })).min(1),
});

const scaledObject = z.object({
  minReplicaCount: z.number(),
  maxReplicaCount: z.number(),
  pollingInterval: z.number(),
  cooldownPeriod: z.number(),
  advanced: z.object({ horizontalPodAutoscalerConfig: z.object({ behavior: z.object({ scaleUp: behaviour, scaleDown: behaviour }) }) }),
  triggers: z.tuple([z.object({ type: z.string(), metadata: z.record(z.string(), z.string()) })]),
});
export type ScaledObjectSpec = z.infer<typeof scaledObject>;

/** The ScaledObject of a role, in a rendering with KEDA. */
export function readScaledObject(rendering: string, role: Scaled): ScaledObjectSpec {
  const found = readRendered(rendering).find(({ kind, metadata }) => kind === "ScaledObject" && metadata.name === `maskline-${role}`);
  if (!found) throw new Error(`${rendering} has no ScaledObject of the ${role}s`);
  return scaledObject.parse(found.spec);
}

export function scalingSettings({ triggers, advanced, ...spec }: ScaledObjectSpec): ScalingSettings {
  const [{ metadata }] = triggers;
  const { scaleUp, scaleDown } = advanced.horizontalPodAutoscalerConfig.behavior;
  return {
    minReplicas: spec.minReplicaCount,
    maxReplicas: spec.maxReplicaCount,
    lagThreshold: Number(metadata.lagThreshold),
    activationLagThreshold: Number(metadata.activationLagThreshold),
    pollingSeconds: spec.pollingInterval,
    cooldownSeconds: spec.cooldownPeriod,
    scaleUp,
    scaleDown,
  };
}
