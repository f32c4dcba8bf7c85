/** What the cluster's names are on this machine: addresses, ports, folders, secrets. */
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import type { Manifest } from "./chart-files.js";
import { ADDRESSES, destinationOf, refusalOf } from "./network.js";
import type { Pod } from "./pods.js";

export interface LocalNamesOptions {
  readonly manifests: readonly Manifest[];
  readonly pods: readonly Pod[];
  /** Volumes are folders in it. */
  readonly folder: string;
  /** Addresses outside of the release, and where they lead to. */
  readonly outside: Readonly<Record<string, string>>;
  /** Values of Secrets that are not of the release, by `name/key`. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface LocalNames {
  portOf(pod: Pod, containerPort: number): number;
  /** A volume of a pod: its own, or one that all share. */
  placeOf(pod: Pod, volume: string): string;
  secretOf(name: string, key: string): string;
  /**
   * A text of the pod's with addresses of the release, folders of its mounts and ports that it listens on replaced by those of this machine.
   * @throws for an address that no Service serves, or that no network policy lets through
   */
  translate(pod: Pod, text: string): string;
  /** The variables of the pod's container. */
  environment(pod: Pod): Record<string, string>;
}

/** Variables that say on which port a service listens. */
const PORT_VARIABLES = ["HEALTH_PORT", "GRPC_PORT", "PORT"];

export async function createLocalNames({ manifests, pods, folder, outside, secrets }: LocalNamesOptions): Promise<LocalNames> {
  const ports = await assignPorts(pods);
  const secretOf = readSecrets(manifests, secrets);
  const portOf = (pod: Pod, containerPort: number) => {
    const port = ports.get(pod.name)?.get(containerPort);
    if (port === undefined) throw new Error(`${pod.name} has no port ${containerPort}`);
    return port;
  };
  const placeOf = (pod: Pod, volume: string) => {
    const claim = pod.spec.volumes.find(({ name }) => name === volume)?.persistentVolumeClaim?.claimName;
    return claim === undefined ? join(folder, pod.name, volume) : join(folder, "claims", claim);
  };
  const localAddress = (pod: Pod, address: string) => {
    const destination = destinationOf(address, manifests, pods);
    const refusal = destination.pod === pod ? undefined : refusalOf(pod, destination, manifests);
    if (refusal !== undefined) throw new Error(refusal);
    return `127.0.0.1:${portOf(destination.pod, destination.port)}`;
  };
  const translate = (pod: Pod, text: string) => {
    const here = Object.entries(outside).reduce((replaced, [there, local]) => replaced.replaceAll(there, local), text);
    const dialled = here.replaceAll(ADDRESSES, (address) => localAddress(pod, address));
    return withLocalPorts(withLocalFolders(dialled, pod, placeOf), pod, portOf);
  };
  return {
    portOf,
    placeOf,
    secretOf,
    translate,
    environment(pod) {
      const made: Record<string, string> = {};
      for (const { name, value, valueFrom } of pod.container.env) {
        const secret = valueFrom?.secretKeyRef;
        const text = secret ? secretOf(secret.name, secret.key) : valueFrom?.fieldRef ? pod.name : (value ?? "");
        // `$(NAME)` stands for a variable before it.
        made[name] = translate(pod, text).replace(/\$\(([A-Z_]+)\)/g, (_, other: string) => made[other] ?? "");
      }
      for (const name of PORT_VARIABLES) {
        const there = Number(made[name]);
        if (ports.get(pod.name)?.has(there)) made[name] = String(portOf(pod, there));
      }
      return made;
    },
  };
}

function withLocalFolders(text: string, pod: Pod, placeOf: LocalNames["placeOf"]): string {
  const places = new Map(pod.container.volumeMounts.map(({ name, mountPath }) => [mountPath, placeOf(pod, name)]));
  if (places.size === 0) return text;
  // Longer paths first, for one may begin with another.
  const paths = [...places.keys()].sort((a, b) => b.length - a.length);
  return text.replace(new RegExp(`(?:${paths.join("|")})(?=[/"]|$)`, "gm"), (path) => places.get(path) ?? path);
}

/** Ports that a command line (`--port=3000`) or a configuration file (`port: 4222`) listens on. */
function withLocalPorts(text: string, pod: Pod, portOf: LocalNames["portOf"]): string {
  const isOwn = (port: number) => pod.container.ports.some(({ containerPort }) => containerPort === port);
  return text.replace(/((?:^|-|_)port[=:] ?)(\d+)$/gm, (whole, key: string, port: string) =>
    isOwn(Number(port)) ? `${key}${portOf(pod, Number(port))}` : whole,
  );
}

async function assignPorts(pods: readonly Pod[]): Promise<Map<string, Map<number, number>>> {
  const wanted = pods.flatMap((pod) => pod.container.ports.map(({ containerPort }) => ({ pod: pod.name, containerPort })));
  // All are held until all are known, so that none is given twice.
  const servers = wanted.map(() => createServer().listen(0, "127.0.0.1"));
  const assigned = new Map(pods.map(({ name }) => [name, new Map<number, number>()]));
  for (const [at, server] of servers.entries()) {
    if (!server.listening) await once(server, "listening");
    const address = server.address();
    const one = wanted[at];
    if (one && address !== null && typeof address === "object") assigned.get(one.pod)?.set(one.containerPort, address.port);
  }
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  return assigned;
}

function readSecrets(manifests: readonly Manifest[], others: Readonly<Record<string, string>>) {
  const secret = z.object({ metadata: z.object({ name: z.string() }), data: z.record(z.string(), z.string()) });
  const own = manifests.filter(({ kind }) => kind === "Secret").map((manifest) => secret.parse(manifest));
  return (name: string, key: string): string => {
    const encoded = own.find(({ metadata }) => metadata.name === name)?.data[key];
    const value = encoded === undefined ? others[`${name}/${key}`] : Buffer.from(encoded, "base64").toString("utf8");
    if (value === undefined) throw new Error(`there is no Secret ${name} with the key ${key}`);
    return value;
  };
}
