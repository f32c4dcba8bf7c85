/** One session through `maskline all` and the Hub simulator, each a process of its own, watched from outside. For benchmarks on Linux. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startSimulator } from "../demo/simulator-child.js";
import { type Child, startChild } from "../support/children.js";
import { cpuSeconds, peakBytes } from "./usage.js";

export interface SessionMeasure {
  readonly assets: number;
  /** From the accepted session (the export is frozen) to the answer. */
  readonly seconds: number;
  /** From Hub's finished export to the accepted session: download and freezing. */
  readonly freezeSeconds: number;
  /** Processor time of all threads of `maskline all`, from Run to the answer. */
  readonly cpuSeconds: number;
  /** The process's highest resident memory, in bytes. */
  readonly peakBytes: number;
}

/**
 * Runs one session on the project folder.
 * @param core all of `maskline all` runs on this core alone, and the simulator on the others
 * @throws Error when it does not end with an archive.
 */
export async function measureSession(
  project: string,
  assets: number,
  env: Readonly<Record<string, string>> = {},
  core?: number,
): Promise<SessionMeasure> {
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-bench-"));
  const children: Child[] = [];
  try {
    let acceptedAt = 0;
    let exportedAt = 0;
    const simulator = startSimulator(
      project,
      (_level, message) => {
        if (message.startsWith("Session accepted")) acceptedAt = performance.now();
      },
      (name) => {
        if (name === "download") exportedAt = performance.now();
      },
    );
    children.push(simulator.child);
    const hub = await Promise.race([simulator.ready, simulator.child.ended]);
    const maskline = startChild({
      name: "maskline all",
      script: new URL("../../services/main.js", import.meta.url),
      args: ["all"],
      env: {
        PATH: process.env.PATH,
        HOST: hub.url,
        PLUGIN_ID: hub.pluginId,
        PLUGIN_SECRET: hub.pluginSecret,
        DATA_DIR: dataDir,
        LOGLEVEL: "warn",
        HEALTH_PORT: "0",
        EXPORT_RATIO_LIMIT: "1000000",
        ...env,
      },
    });
    children.push(maskline);
    if (core !== undefined) keepApart(maskline, simulator.child, core);
    const ended = Promise.race([simulator.child.ended, maskline.ended]);
    await Promise.race([simulator.pluginConnected, ended]);
    const cpuBefore = cpuSeconds(maskline.pid);
    simulator.run({ class_mapping_type: "single_channel_sequential" });
    await Promise.race([simulator.archiveUrl, ended]);
    const answeredAt = performance.now();
    await sleep(50);
    return {
      assets,
      seconds: (answeredAt - acceptedAt) / 1000,
      freezeSeconds: (acceptedAt - exportedAt) / 1000,
      cpuSeconds: cpuSeconds(maskline.pid) - cpuBefore,
      peakBytes: peakBytes(maskline.pid),
    };
  } finally {
    for (const child of children.reverse()) await child.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** taskset of util-linux, for Node can not: threads that a process starts later stay where it is. */
function keepApart(alone: Child, others: Child, core: number): void {
  const rest = cpus().flatMap((_, at) => (at === core ? [] : [at]));
  for (const [{ pid }, list] of [
    [alone, [core]],
    [others, rest],
  ] as const) {
    execFileSync("taskset", ["-a", "-c", "-p", list.join(","), String(pid)], { stdio: "ignore" });
  }
}
