import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dice, dice } from "../fuzz/dice.js";
import type { Fault, RequestName } from "../hub-simulator/http-answers.js";
import { type HubSimulator, type RunOptions, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { readArchiveBytes } from "../support/archive.js";
import { startChild } from "../support/children.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const SEED = 20_260_106;
const SESSIONS = 200;
const PROJECTS = 40;
const CHAOS_MS = 10_000;
const WAIT_MS = 60_000;
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };

const projectId = (project: number) => `${PROJECT._id}${project}`;
/** So that every archive tells whose it is. */
const taskIds = (project: number) => Array.from({ length: 1 + (project % 4) }, (_, index) => `p${project}-t${index}`);
const projects = Array.from({ length: PROJECTS }, (_, project) => ({
  project: { ...PROJECT, _id: projectId(project) },
  rows: taskIds(project).map((id, index) => row({ id, tools: [polygon("Road", "road", square(index, project % 9, 3))] })),
}));

/** What is pressed, and what must come of it. */
interface Pressed {
  readonly options: RunOptions;
  /** Undefined: an error. */
  readonly archiveOf: number | undefined;
  handle: SessionHandle | undefined;
}

function pressed(number: number): Pressed {
  const project = number % PROJECTS;
  const options = { session: `chaos-${number}`, projectId: projectId(project), stage: [] };
  if (number % 10 === 3)
    return { options: { ...options, configJSON: '{"verbose_frequency": 0}' }, archiveOf: undefined, handle: undefined };
  if (number % 25 === 4) return { options: { ...options, projectId: "nowhere" }, archiveOf: undefined, handle: undefined };
  return { options, archiveOf: project, handle: undefined };
}

/** What becomes of a request. Logs and results go over the socket, so these are all the calls there are. */
function faultOf(random: Dice): Fault | undefined | Promise<undefined> {
  if (random.chance(0.04)) return "reset";
  if (random.chance(0.04)) return { status: 503 };
  if (random.chance(0.03)) return "cut";
  return random.chance(0.06) ? sleep(random.between(20, 400)) : undefined;
}

async function disturb(hub: HubSimulator, random: Dice, until: () => boolean): Promise<void> {
  while (!until()) {
    await sleep(random.between(100, 900));
    if (random.chance(0.3)) hub.refuseSockets(random.between(50, 600), random.pick(["refused", "delayed", "unanswered"]));
    hub.cutSockets(random.pick(["tcp", "namespace", "clean"]));
  }
}

/** Presses Run, and again where the session went into a socket that was cut: a plugin has to know it again. */
async function press(hub: HubSimulator, sessions: readonly Pressed[], random: Dice): Promise<void> {
  const isSeen = ({ handle }: Pressed) => handle !== undefined && handle.logs.length + handle.results.length > 0;
  const deliver = async (session: Pressed) => {
    // With no plugin connected it is pressed again below.
    session.handle = await hub.run(session.options).catch(() => session.handle);
  };
  for (const session of sessions) {
    await deliver(session);
    await sleep(random.between(0, 60));
    if (random.chance(0.1)) await deliver(random.pick([session, ...sessions.filter(isSeen)]));
  }
  for (let unseen = [...sessions]; unseen.length > 0; await sleep(500)) {
    unseen = unseen.filter((session) => !isSeen(session));
    for (const session of unseen) await deliver(session);
  }
}

it(`${SESSIONS} sessions get their right results while Hub cuts, refuses and delays, and the process lives`, {
  timeout: 170_000,
}, async (test) => {
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-chaos-"));
  let calm = false;
  let requests = 0;
  const onRequest = (name: RequestName, _request: IncomingMessage) =>
    calm || name === "archive" ? undefined : faultOf(dice(SEED, "requests", requests++));
  const hub = await startHubSimulator({ projects, ...PLUGIN, apiKey: "key", pingInterval: 200, faults: { onRequest } });
  const maskline = startChild({
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
      LOGLEVEL: "silent",
      CONCURRENCY: "1",
      MAX_SESSIONS: "32",
      HUB_TIMEOUT: "2s",
      HUB_LONGEST_PAUSE: "1s",
    },
  });
  try {
    const startedAt = performance.now();
    const sessions = Array.from({ length: SESSIONS }, (_, number) => pressed(number));
    const disturbed = disturb(hub, dice(SEED, "sockets", 0), () => performance.now() - startedAt > CHAOS_MS);
    const all = press(hub, sessions, dice(SEED, "presses", 0)).then(() => Promise.all(sessions.map(({ handle }) => handle?.result)));
    await Promise.race([Promise.all([all, disturbed]), maskline.ended, sleep(WAIT_MS, undefined, { ref: false })]);
    calm = true;
    const open = sessions.filter(({ handle }) => (handle?.results.length ?? 0) === 0).map(({ options }) => options.session);
    assert.deepEqual(open, [], "sessions without a result");
    for (const { options, archiveOf, handle } of sessions) {
      assert.ok(handle);
      const [result] = handle.results;
      for (const repeated of handle.results) assert.deepEqual(repeated, result, "a repeat is the same");
      const words = handle.logs.map(({ level, msg }) => `${level} ${msg}`).join("\n");
      assert.equal(result?.error === true, archiveOf === undefined, `${options.session}: ${words}`);
      if (archiveOf === undefined) continue;
      const names = [...(await readArchiveBytes(await handle.download())).keys()].filter((name) => name.endsWith(".png"));
      assert.deepEqual(
        names,
        taskIds(archiveOf).map((id) => `${id}.png`),
        `${options.session} has the masks of its project`,
      );
    }
    assert.deepEqual(hub.violations, []);
    const connections = new Set(hub.heartbeats.map(({ socket }) => socket)).size;
    const repeats = sessions.reduce((sum, { handle }) => sum + (handle?.results.length ?? 0) - 1, 0);
    assert.ok(connections >= 5, `Hub was connected to ${connections} times only`);
    test.diagnostic(
      `${connections} connections, ${requests} requests, ${repeats} answers repeated, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    );
    await Promise.race([maskline.ended, sleep(200, undefined, { ref: false })]);
  } finally {
    await maskline.kill();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});
