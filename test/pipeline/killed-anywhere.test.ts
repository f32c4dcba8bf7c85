import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dice, dice } from "../fuzz/dice.js";
import type { RequestName } from "../hub-simulator/http-answers.js";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { readArchiveBytes } from "../support/archive.js";
import { type Child, startChild } from "../support/children.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const SEED = 20_260_107;
const KILLS = 20;
const ASSETS = 2_000;
const LEAST_PHASES = 3;
const WAIT_MS = 60_000;
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({ id: `task-${index}`, tools: [polygon("Road", "road", square(index % 9, index % 5, 4))] }),
);

/** Hub takes its time, so that kills hit these as well. In milliseconds. */
const HUB_TAKES: Partial<Record<RequestName, number>> = { export: 120, download: 60, getUploadUrl: 80, upload: 160 };

/** How far a session is, as what is left of its process tells; in this order. */
const PHASES = ["starting", "accept", "download", "publish", "spool", "zip", "upload", "answer"] as const;
type Phase = (typeof PHASES)[number];

interface Scene {
  readonly hub: HubSimulator;
  readonly dataDir: string;
  /** Requests that the simulator had seen when the session was pressed. */
  readonly requestsBefore: number;
  readonly handle: SessionHandle;
}

/** Where the process was killed; "starting" is told apart before. */
async function phaseOf({ hub, dataDir, requestsBefore, handle }: Scene): Promise<Phase> {
  const requests = hub.requests.slice(requestsBefore);
  if (handle.results.length > 0) return "answer";
  if (requests.includes("getUploadUrl")) return "upload";
  const spool = await readdir(join(dataDir, "packager", "runs"), { recursive: true });
  if (spool.some((name) => /archive\.zip/.test(name))) return "zip";
  const log = spool.find((name) => name.endsWith("outcomes.log"));
  if (log && (await stat(join(dataDir, "packager", "runs", log))).size > 0) return "spool";
  if ((await readdir(join(dataDir, "gateway", "exports"))).some((name) => name.endsWith(".ndjson"))) return "publish";
  return requests.includes("export") || requests.includes("project") ? "download" : "accept";
}

function startMaskline(hub: HubSimulator, dataDir: string): Child {
  return startChild({
    name: "maskline all",
    script: new URL("../../services/main.js", import.meta.url),
    args: ["all"],
    env: {
      PATH: process.env.PATH,
      TMPDIR: tmpdir(),
      HOST: hub.url,
      PLUGIN_ID: PLUGIN.pluginId,
      PLUGIN_SECRET: PLUGIN.pluginSecret,
      DATA_DIR: dataDir,
      HEALTH_PORT: "0",
      LOGLEVEL: "error",
      CONCURRENCY: "2",
    },
  });
}

async function until(what: string, condition: () => boolean, child: Child): Promise<void> {
  for (const end = performance.now() + WAIT_MS; !condition(); await sleep(2)) {
    if (performance.now() > end) throw new Error(`waited ${WAIT_MS} ms in vain for ${what}`);
    await Promise.race([child.ended, Promise.resolve()]);
  }
}

async function press(hub: HubSimulator, dataDir: string): Promise<Scene> {
  const requestsBefore = hub.requests.length;
  return { hub, dataDir, requestsBefore, handle: await hub.run({ projectId: PROJECT._id, stage: [] }) };
}

/** What went to a process that died before it had stored it is lost: over the socket Hub does not send it again, a user does. */
async function pressAgain({ hub, handle }: Scene): Promise<void> {
  if (handle.logs.length + handle.results.length === 0) await hub.run({ projectId: PROJECT._id, stage: [], session: handle.session });
}

it(`maskline all, killed at ${KILLS} random moments of sessions of ${ASSETS} assets, answers each with the same bytes`, {
  timeout: 170_000,
}, async (test) => {
  const random: Dice = dice(SEED, "kills", 0);
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-killed-"));
  const onRequest = (name: RequestName) => sleep(HUB_TAKES[name] ?? 0, undefined);
  const hub = await startHubSimulator({
    projects: [{ project: PROJECT, rows }],
    ...PLUGIN,
    apiKey: "key",
    pingInterval: 200,
    faults: { onRequest },
  });
  let running = startMaskline(hub, dataDir);
  try {
    const first = await press(hub, dataDir);
    const pressedAt = performance.now();
    await until("the first answer", () => first.handle.results.length > 0, running);
    const lifeMs = performance.now() - pressedAt;
    const undisturbed = await first.handle.download();
    assert.equal([...(await readArchiveBytes(undisturbed)).keys()].filter((name) => name.endsWith(".png")).length, ASSETS);

    const scenes: Scene[] = [];
    const hits = new Map<Phase, number>();
    let beatsBefore = 0;
    const isConnected = () => hub.heartbeats.length > beatsBefore;
    for (let kill = 1; kill <= KILLS; kill++) {
      // Some hit a process that starts, some a session that was just pressed, the others any moment of what it takes undisturbed.
      const isEarly = kill > 1 && random.chance(0.15);
      if (!isEarly) await until("a connection", isConnected, running);
      const open = scenes.at(-1)?.handle.results.length === 0 ? scenes.at(-1) : undefined;
      if (!isEarly && open) await pressAgain(open);
      if (!isEarly && !open) scenes.push(await press(hub, dataDir));
      const afterMs = isEarly ? random.below(300) : !open && random.chance(0.5) ? random.below(150) : random.below(lifeMs * 1.2);
      await sleep(afterMs);
      await running.kill();
      const scene = scenes.at(-1);
      const phase = scene && isConnected() ? await phaseOf(scene) : "starting";
      hits.set(phase, (hits.get(phase) ?? 0) + 1);
      test.diagnostic(`kill ${kill}, ${afterMs} ms after ${isEarly ? "the start" : "the connection"}: ${phase}`);
      beatsBefore = hub.heartbeats.length;
      running = startMaskline(hub, dataDir);
    }
    await until("a connection", isConnected, running);
    for (const scene of scenes) {
      const { results, logs, download } = scene.handle;
      await pressAgain(scene);
      await until(`the answer of ${scene.handle.session}`, () => results.length > 0, running);
      for (const repeated of results) assert.deepEqual(repeated, results[0], "a repeated answer is the same");
      assert.equal(results[0]?.export, true, logs.map(({ level, msg }) => `${level} ${msg}`).join("\n"));
      assert.ok((await download()).equals(undisturbed), "the archive is the one of an undisturbed session");
    }
    const spread = PHASES.map((phase) => `${phase} ${hits.get(phase) ?? 0}`).join(", ");
    test.diagnostic(`${scenes.length} sessions of ${lifeMs.toFixed(0)} ms undisturbed; ${spread}`);
    assert.ok(hits.size >= LEAST_PHASES, `the kills hit these phases only: ${spread}`);
  } finally {
    await running.kill();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
