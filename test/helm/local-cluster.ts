/**
 * What a cluster would do with rendered manifests, with local processes in place of containers: each container's command with its environment,
 * its secrets and configuration as files, its volumes as folders. Addresses within the release lead to local ports; one that no Service
 * serves, or that no network policy lets through, is an error.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { projectRoot } from "../project-root.js";
import type { Manifest } from "./chart-files.js";
import { createLocalNames, type LocalNames } from "./local-names.js";
import { type Pod, podsOf } from "./pods.js";

export interface ClusterOptions {
  readonly manifests: readonly Manifest[];
  /** What stands in for the image of a repository: program and arguments before those of the container. */
  readonly images: Readonly<Record<string, readonly string[]>>;
  /** Addresses outside of the release, and where they lead to. */
  readonly outside?: Readonly<Record<string, string>>;
  /** Values of Secrets that are not of the release, by `name/key`. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface LocalCluster {
  /** All pods but those of tests. */
  readonly pods: readonly Pod[];
  /** Where a port of a pod is, as host:port. */
  addressOf(pod: string, port: string): string;
  /** Runs a pod of `helm test` to its end. */
  runTest(pod: string): Promise<{ readonly code: number | null; readonly output: string }>;
  /** Runs `maskline` with these arguments where a pod runs, as `kubectl exec` does; its standard output. */
  maskline(pod: string, args: readonly string[]): Promise<string>;
  /** Asks a pod to end, as a rolling update does, and waits; then starts it again on its volumes. */
  restart(pod: string): Promise<void>;
  /** What a pod has said lately. */
  saidBy(pod: string): string;
  close(): Promise<void>;
}

/** The compiled code that this file is part of: what images hold under /app/dist. */
const dist = fileURLToPath(new URL("../../", import.meta.url));
export const MASKLINE = [process.execPath, "--enable-source-maps", join(dist, "services/main.js")] as const;
export const SIMULATOR = [process.execPath, "--enable-source-maps"] as const;

const KEPT = 20_000;
const STOP_MS = 20_000;

/** None outlives the tests. */
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export async function startCluster({ manifests, images, outside = {}, secrets = {} }: ClusterOptions): Promise<LocalCluster> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-cluster-"));
  const pods = podsOf(manifests);
  const names = await createLocalNames({ manifests, pods, folder, outside, secrets });
  const running = new Map<string, ChildProcess>();
  const said = new Map<string, string>();

  async function run(pod: Pod): Promise<ChildProcess> {
    await prepareVolumes(pod, names, manifests);
    const child = startProcess(pod, names, images);
    running.set(pod.name, child);
    children.add(child);
    child.once("exit", () => children.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => said.set(pod.name, `${said.get(pod.name) ?? ""}${chunk}`.slice(-KEPT)));
    }
    return child;
  }

  async function stop(name: string): Promise<void> {
    const child = running.get(name);
    running.delete(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await exited;
    clearTimeout(timer);
  }

  async function close(): Promise<void> {
    await Promise.all([...running.keys()].map(stop));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  const named = (name: string) => {
    const pod = pods.find((one) => one.name === name);
    if (!pod) throw new Error(`there is no pod ${name}; there are ${pods.map((one) => one.name).join(", ")}`);
    return pod;
  };

  try {
    for (const pod of pods) if (!pod.isTest) await run(pod);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    pods: pods.filter(({ isTest }) => !isTest),
    addressOf: (name, port) => {
      const pod = named(name);
      const declared = pod.container.ports.find((one) => one.name === port);
      if (!declared) throw new Error(`${name} has no port ${port}`);
      return `127.0.0.1:${names.portOf(pod, declared.containerPort)}`;
    },
    async runTest(name) {
      said.delete(name);
      const child = await run(named(name));
      const [code] = (await once(child, "close")) as [number | null];
      return { code, output: said.get(name) ?? "" };
    },
    async maskline(name, args) {
      const [program, ...entry] = MASKLINE;
      const env = { PATH: process.env.PATH, ...names.environment(named(name)) };
      return (await promisify(execFile)(program, [...entry, ...args], { env })).stdout;
    },
    async restart(name) {
      await stop(name);
      await run(named(name));
    },
    saidBy: (name) => said.get(name) ?? "",
    close,
  };
}

/** Makes the pod's folders, with its secrets and configuration in them. */
async function prepareVolumes(pod: Pod, names: LocalNames, manifests: readonly Manifest[]): Promise<void> {
  await mkdir(names.placeOf(pod, "tmp"), { recursive: true });
  for (const { name } of pod.container.volumeMounts) await mkdir(names.placeOf(pod, name), { recursive: true });
  for (const { name, projected, configMap } of pod.spec.volumes) {
    const place = names.placeOf(pod, name);
    for (const { secret } of projected?.sources ?? []) {
      for (const { key, path } of secret.items) await writePrivately(join(place, path), names.secretOf(secret.name, key));
    }
    const files = configMap ? readConfigMap(manifests, configMap.name) : {};
    for (const [file, text] of Object.entries(files)) await writePrivately(join(place, file), names.translate(pod, text));
  }
}

function startProcess(pod: Pod, names: LocalNames, images: ClusterOptions["images"]): ChildProcess {
  const { image, command, args } = pod.container;
  const entrypoint = images[repositoryOf(image)];
  if (!entrypoint) throw new Error(`nothing stands in for the image ${image} of ${pod.name}`);
  const own = (words: readonly string[]) => words.map((word) => inCheckout(names.translate(pod, word)));
  const [program = "", ...rest] = [...(command.length > 0 ? standIn(own(command), entrypoint) : entrypoint), ...own(args)];
  const surroundings = { PATH: process.env.PATH, HOSTNAME: pod.name, TMPDIR: names.placeOf(pod, "tmp") };
  return spawn(program, rest, { cwd: projectRoot, env: { ...surroundings, ...names.environment(pod) }, stdio: ["ignore", "pipe", "pipe"] });
}

/** `maskline` of `maskline:0.1.0`. */
export function repositoryOf(image: string): string {
  return image.replace(/[:@][^/]*$/, "");
}

async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
}

/** A container that names its program gets this machine's. */
function standIn([program = "", ...args]: readonly string[], [entry = ""]: readonly string[]): string[] {
  return [program === "node" ? process.execPath : entry, ...args];
}

/** The paths of compiled code that the simulator's image has under its working folder. */
function inCheckout(word: string): string {
  return word.startsWith("dist/") ? join(dist, word.slice("dist/".length)) : word;
}

function readConfigMap(manifests: readonly Manifest[], name: string): Readonly<Record<string, string>> {
  const found = manifests.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name);
  if (!found) throw new Error(`there is no ConfigMap ${name}`);
  return z.object({ data: z.record(z.string(), z.string()) }).parse(found).data;
}
