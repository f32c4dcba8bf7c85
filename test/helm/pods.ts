/** The pods that rendered manifests ask for, as plain records. Pure. */
import { z } from "zod";
import type { Manifest } from "./chart-files.js";

const labels = z.record(z.string(), z.string());
const secretKey = z.object({ name: z.string(), key: z.string() });

const container = z.object({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  args: z.array(z.string()).default([]),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.object({ secretKeyRef: secretKey.optional(), fieldRef: z.object({ fieldPath: z.string() }).optional() }).optional(),
      }),
    )
    .default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
  livenessProbe: z.unknown().optional(),
  readinessProbe: z.unknown().optional(),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
  resources: z.object({ requests: z.record(z.string(), z.unknown()), limits: z.record(z.string(), z.unknown()) }),
  securityContext: z.record(z.string(), z.unknown()),
});
export type Container = z.infer<typeof container>;

const volume = z.object({
  name: z.string(),
  emptyDir: z.unknown().optional(),
  configMap: z.object({ name: z.string() }).optional(),
  persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
  projected: z
    .object({
      sources: z.array(
        z.object({ secret: z.object({ name: z.string(), items: z.array(z.object({ key: z.string(), path: z.string() })) }) }),
      ),
    })
    .optional(),
});
export type Volume = z.infer<typeof volume>;

const podSpec = z.object({
  automountServiceAccountToken: z.boolean(),
  securityContext: z.record(z.string(), z.unknown()),
  terminationGracePeriodSeconds: z.number().optional(),
  containers: z.tuple([container]),
  volumes: z.array(volume).default([]),
});

const workload = z.object({
  spec: z.object({
    replicas: z.number().default(1),
    serviceName: z.string().optional(),
    template: z.object({ metadata: z.object({ labels }), spec: podSpec }),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]),
  }),
});

export interface Pod {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: z.infer<typeof podSpec>;
  readonly container: Container;
  /** Volumes of its own that outlive it, by name. */
  readonly claims: readonly string[];
  /** The headless Service that names it. */
  readonly serviceName: string | undefined;
  /** A pod of `helm test`. */
  readonly isTest: boolean;
}

/** Every pod of every workload; what an autoscaler counts is there once. */
export function podsOf(manifests: readonly Manifest[]): Pod[] {
  return manifests.flatMap((manifest): Pod[] => {
    const { name, labels: own = {} } = manifest.metadata;
    if (manifest.kind === "Pod") {
      const spec = podSpec.parse(manifest.spec);
      return [{ name, labels: own, spec, container: spec.containers[0], claims: [], serviceName: undefined, isTest: true }];
    }
    if (manifest.kind !== "Deployment" && manifest.kind !== "StatefulSet") return [];
    const { replicas, serviceName, template, volumeClaimTemplates } = workload.parse(manifest).spec;
    return Array.from({ length: replicas }, (_, at) => ({
      name: `${name}-${at}`,
      labels: template.metadata.labels,
      spec: template.spec,
      container: template.spec.containers[0],
      claims: volumeClaimTemplates.map(({ metadata }) => metadata.name),
      serviceName,
      isTest: false,
    }));
  });
}

/** `gateway`, `filter`, `nats`, ... */
export function roleOf({ labels: own }: Pod): string {
  return own["app.kubernetes.io/component"] ?? "";
}

/** Whether the selector's labels are all among the pod's. */
export function isSelected(selector: Readonly<Record<string, string>>, pod: Pod): boolean {
  return Object.entries(selector).every(([name, value]) => pod.labels[name] === value);
}
