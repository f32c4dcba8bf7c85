/** The vendor's own package as a plugin: `plugin.py` in a process of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../project-root.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { freePort } from "../support/free-port.js";
import { PLUGIN, type PluginUnderTest } from "./recording.js";

const START_MS = 30_000;
const KEPT_LINES = 30;

/** `imerit-ango 1.4.10, Python 3.11.2` of an interpreter that has the package, or why there is none. */
export function sdkOf(python: string): { readonly version: string } | { readonly missing: string } {
  const script = "import sys, importlib.metadata as m; print('imerit-ango', m.version('imerit-ango') + ', Python', sys.version.split()[0])";
  try {
    return {
      version: execFileSync(python, ["-c", script], { encoding: "utf8", timeout: START_MS, stdio: ["ignore", "pipe", "pipe"] }).trim(),
    };
  } catch (error) {
    const reason = error instanceof Error && "code" in error && error.code === "ENOENT" ? "is not there" : "has no package imerit-ango";
    return { missing: `${python} ${reason} (SDK_PYTHON names another one)` };
  }
}

export async function startSdkPlugin(python: string, connector: "WS" | "REST", hub: string): Promise<PluginUnderTest> {
  const port = await freePort();
  // Of what it writes to the folder for temporary files, it removes nothing when it is ended.
  const scratch = await mkdtemp(join(tmpdir(), "maskline-sdk-"));
  const child = spawn(python, [join(projectRoot, "test/sdk/plugin.py")], {
    env: {
      ...{ PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1", TMPDIR: scratch },
      ...{ HOST: hub, PLUGIN_ID: PLUGIN.pluginId, PLUGIN_SECRET: PLUGIN.pluginSecret, CONNECTOR: connector, PORT: String(port) },
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said.push(text);
      if (said.length > KEPT_LINES) said.shift();
    });
  }
  const stop = async () => {
    await end(child);
    await rm(scratch, { recursive: true, force: true });
  };
  if (connector === "WS") return { pluginServer: undefined, stop };
  const pluginServer = `http://127.0.0.1:${port}`;
  try {
    await eventuallyHolds(async () => {
      if (child.exitCode !== null) throw new Error(`the SDK's plugin ended: ${said.join("")}`);
      const answer = await fetch(`${pluginServer}/heartbeat`, { headers: { Secret: PLUGIN.pluginSecret } });
      await answer.body?.cancel();
    }, START_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pluginServer, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
