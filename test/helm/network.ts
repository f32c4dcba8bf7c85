/** Which pod an address of the cluster leads to, and whether the network policies let a connection through. Pure. */
import { z } from "zod";
import type { Manifest } from "./chart-files.js";
import { isSelected, type Pod } from "./pods.js";

export const NAMESPACE = "maskline";
const DOMAIN = `${NAMESPACE}.svc.cluster.local`;

/** Addresses within the release, in any text. */
export const ADDRESSES = new RegExp(`[a-z0-9.-]+\\.${DOMAIN.replaceAll(".", "\\.")}:\\d+`, "g");

const service = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.object({ name: z.string(), port: z.number(), targetPort: z.string() })),
  }),
});

export interface Destination {
  readonly pod: Pod;
  readonly port: number;
}

/**
 * The pod and its port behind `host:port`: a Service's name, or that of a StatefulSet's pod in its Service.
 * @throws when no Service serves that port, or no pod has it
 */
export function destinationOf(address: string, manifests: readonly Manifest[], pods: readonly Pod[]): Destination {
  const [host = "", port] = address.split(":");
  const words = host.slice(0, -(DOMAIN.length + 1)).split(".");
  const serviceName = words.at(-1);
  const found = manifests.find(({ kind, metadata }) => kind === "Service" && metadata.name === serviceName);
  if (!found) throw new Error(`${address}: the chart has no Service ${serviceName}`);
  const { spec } = service.parse(found);
  const served = spec.ports.find((one) => one.port === Number(port));
  if (!served) throw new Error(`${address}: the Service ${serviceName} has no port ${port}`);
  const behind = pods.filter((pod) => isSelected(spec.selector, pod));
  const pod = words.length === 1 ? behind[0] : behind.find((one) => one.name === words[0] && one.serviceName === serviceName);
  const target = pod?.container.ports.find(({ name }) => name === served.targetPort);
  if (!pod || !target) throw new Error(`${address}: no pod behind it has the port ${served.targetPort}`);
  return { pod, port: target.containerPort };
}

const peer = z.object({ podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }).optional() });
const port = z.object({ protocol: z.string(), port: z.union([z.string(), z.number()]) });
const policy = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    ingress: z.array(z.object({ ports: z.array(port).optional(), from: z.array(peer).optional() })).default([]),
    egress: z.array(z.object({ ports: z.array(port).optional(), to: z.array(peer).optional() })).default([]),
  }),
});

/** Why a connection between two pods is refused; undefined when it is let through. A pod that no policy is for is open. */
export function refusalOf(from: Pod, to: Destination, manifests: readonly Manifest[]): string | undefined {
  const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy").map((manifest) => policy.parse(manifest));
  const of = (pod: Pod) => policies.filter(({ spec }) => isSelected(spec.podSelector.matchLabels, pod));
  const named = to.pod.container.ports.find(({ containerPort }) => containerPort === to.port)?.name;
  const isPort = (ports: z.infer<typeof port>[] | undefined) =>
    ports === undefined || ports.some((one) => one.protocol === "TCP" && (one.port === to.port || one.port === named));
  const isPeer = (peers: z.infer<typeof peer>[] | undefined, pod: Pod) =>
    peers === undefined || peers.some(({ podSelector }) => podSelector !== undefined && isSelected(podSelector.matchLabels, pod));
  const leaves =
    of(from).length === 0 || of(from).some(({ spec }) => spec.egress.some((rule) => isPort(rule.ports) && isPeer(rule.to, to.pod)));
  const enters =
    of(to.pod).length === 0 || of(to.pod).some(({ spec }) => spec.ingress.some((rule) => isPort(rule.ports) && isPeer(rule.from, from)));
  const way = `${from.name} to ${to.pod.name}, port ${to.port}`;
  if (!leaves) return `${way}: no policy lets it out`;
  return enters ? undefined : `${way}: no policy lets it in`;
}
