/** deploy/compose.yaml as manifests, so that what runs those (local-cluster.ts) runs it too. Pure. */
import { parse } from "yaml";
import { z } from "zod";
import type { Manifest } from "./chart-files.js";
import { NAMESPACE } from "./network.js";

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  volumes: z.array(z.string()).default([]),
  deploy: z.object({ replicas: z.number() }).optional(),
});
type Service = z.infer<typeof service>;
const compose = z.object({ services: z.record(z.string(), service) });

/** Ports that a service listens on where it is not told otherwise. */
const USUAL_PORTS: Readonly<Record<string, number>> = { HEALTH_PORT: 8081, GRPC_PORT: 7070, PORT: 8080 };
/** What deploy/Dockerfile sets. */
const IMAGE_ENVIRONMENT = { DATA_DIR: "/var/lib/maskline" };
/** Runs to its end, as a pod of `helm test` does. */
const ONCE = "session";

/** @param without services that something else stands in for */
export function composeManifests(text: string, without: readonly string[]): Manifest[] {
  const { services } = compose.parse(parse(text, { merge: true }));
  const here = Object.entries(services).filter(([name]) => !without.includes(name));
  const names = here.map(([name]) => name);
  return here.flatMap(([name, one]) => [workload(name, one, names), serviceOf(name, one)]);
}

function workload(name: string, one: Service, names: readonly string[]): Manifest {
  const addressed = (value: string | number) => withFullNames(String(value), names);
  const environment = { ...(isOurs(one) ? { ...IMAGE_ENVIRONMENT, ...USUAL_PORTS } : {}), ...one.environment };
  const mounts = one.volumes.map((volume) => volume.split(":"));
  const container = {
    name,
    image: one.image,
    args: one.command.map(addressed),
    env: Object.entries(environment).map(([key, value]) => ({ name: key, value: addressed(value) })),
    ports: portsOf(one),
    volumeMounts: mounts.map(([volume, mountPath]) => ({ name: volume, mountPath })),
    resources: { requests: {}, limits: {} },
    securityContext: {},
  };
  const spec = {
    automountServiceAccountToken: false,
    securityContext: {},
    containers: [container],
    volumes: mounts.map(([volume = ""]) => ({ name: volume, persistentVolumeClaim: { claimName: volume } })),
  };
  const labels = { service: name };
  if (name === ONCE) return { kind: "Pod", metadata: { name, labels }, spec };
  return {
    kind: "Deployment",
    metadata: { name, labels },
    spec: { replicas: one.deploy?.replicas ?? 1, template: { metadata: { labels }, spec } },
  };
}

function serviceOf(name: string, one: Service): Manifest {
  const ports = portsOf(one).map((port) => ({ name: port.name, port: port.containerPort, targetPort: port.name }));
  return { kind: "Service", metadata: { name }, spec: { selector: { service: name }, ports } };
}

/** Those of its command line (`--port=3000`), and those of our services. */
function portsOf(one: Service): { name: string; containerPort: number }[] {
  const told = one.command.flatMap((word) => /port=(\d+)$/.exec(word)?.[1] ?? []).map(Number);
  return [...told, ...(isOurs(one) ? Object.values(USUAL_PORTS) : [])].map((port) => ({ name: `port-${port}`, containerPort: port }));
}

function isOurs({ image }: Service): boolean {
  return image.startsWith("maskline:");
}

/** `gateway:7070` by the name that a Service would have. */
function withFullNames(text: string, names: readonly string[]): string {
  return text.replace(/(^|[/=,])([a-z]+)(?=:\d+)/g, (whole, before: string, name: string) =>
    names.includes(name) ? `${before}${name}.${NAMESPACE}.svc.cluster.local` : whole,
  );
}
