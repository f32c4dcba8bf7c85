/** `maskline all` as a process of its own on a small project of the Hub simulator, with its logs. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { PROJECT } from "../pipeline/pipeline.js";
import { polygon, row, square } from "../pipeline/rows.js";
import { type Child, startChild } from "../support/children.js";
import { eventuallyHolds } from "../support/eventually-holds.js";

export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export interface WatchedMaskline {
  readonly hub: HubSimulator;
  /** Every line of its log, of all its lives. */
  readonly log: readonly LogLine[];
  readonly lines: readonly string[];
  /** Begins another life, on the same volume. */
  start(): void;
  readonly child: Child;
  press(configJSON?: string): Promise<SessionHandle>;
  /** What its health port answers. */
  get(path: string): Promise<{ readonly status: number; readonly type: string; readonly text: string }>;
  close(): Promise<void>;
}

const PLUGIN = { pluginId: "plugin-1", pluginSecret: "plugin-secret-canary" };
const SECRETS = { STATE_KEY: "state-key-canary-0123456789-0123456789" };
export const CANARIES = [PLUGIN.pluginSecret, "api-key-canary", "state-key-canary", "X-Amz-"];

/** @param env of the process, beside what it needs to find the simulator */
export async function watchMaskline(assets: number, env: Readonly<Record<string, string>>): Promise<WatchedMaskline> {
  const rows = Array.from({ length: assets }, (_, index) =>
    row({ id: `task-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }),
  );
  const hub = await startHubSimulator({ projects: [{ project: PROJECT, rows }], ...PLUGIN, apiKey: "api-key-canary", pingInterval: 100 });
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-watched-"));
  const lines: string[] = [];
  const log: LogLine[] = [];
  let child: Child | undefined;
  const running = () => child ?? assert.fail("it was not started");
  const start = () => {
    child = startChild({
      name: "maskline all",
      script: new URL("../../services/main.js", import.meta.url),
      args: ["all"],
      env: {
        ...{ PATH: process.env.PATH, TMPDIR: tmpdir(), HOST: hub.url, DATA_DIR: dataDir, HEALTH_PORT: "0", CONCURRENCY: "1" },
        ...{ PLUGIN_ID: PLUGIN.pluginId, PLUGIN_SECRET: PLUGIN.pluginSecret, ...SECRETS },
        ...env,
      },
      onLog(line) {
        lines.push(line);
        if (line.startsWith("{")) log.push(JSON.parse(line));
      },
    });
  };
  start();
  return {
    hub,
    log,
    lines,
    start,
    get child() {
      return running();
    },
    press: (configJSON = "{}") => hub.run({ projectId: PROJECT._id, stage: [], configJSON }),
    async get(path) {
      let port: unknown;
      await eventuallyHolds(() => {
        port = log.findLast(({ msg }) => msg === "started")?.healthPort;
        assert.ok(port);
      }, 20_000);
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, type: answer.headers.get("content-type") ?? "", text: await answer.text() };
    },
    async close() {
      await child?.kill();
      await hub.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
