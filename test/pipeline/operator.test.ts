import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Fault } from "../hub-simulator/http-answers.js";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { type Child, startChild } from "../support/children.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const executable = new URL("../../services/main.js", import.meta.url);
const rows = Array.from({ length: 40 }, (_, index) => row({ id: `t${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }));
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };
const WAIT_MS = 20_000;

describe("maskline sessions and maskline cancel, beside a running gateway", () => {
  let hub: HubSimulator;
  let dataDir: string;
  let running: Child;
  let stuck: SessionHandle;
  let uploading: Fault | undefined = "hang";

  const start = () => {
    running = startChild({
      name: "maskline all",
      script: executable,
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
        CONCURRENCY: "1",
      },
    });
  };
  const maskline = (...args: string[]) =>
    new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      const env = { PATH: process.env.PATH, TMPDIR: tmpdir(), DATA_DIR: dataDir };
      execFile(process.execPath, [fileURLToPath(executable), ...args], { env, timeout: 60_000 }, (error, out, err) =>
        resolve({ code: error ? error.code : 0, out, err }),
      );
    });

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "maskline-operator-"));
    const onRequest = (name: string) => (name === "upload" ? uploading : undefined);
    hub = await startHubSimulator({
      projects: [{ project: PROJECT, rows }],
      ...PLUGIN,
      apiKey: "key",
      pingInterval: 100,
      faults: { onRequest },
    });
  });
  after(async () => {
    await running?.kill();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("say that no gateway runs with this DATA_DIR, and exit with 1", async () => {
    for (const args of [["sessions"], ["cancel", "S1"]]) {
      const { code, err } = await maskline(...args);
      assert.equal(code, 1, err);
      assert.match(err, /^maskline failed: no gateway is running with this DATA_DIR/);
    }
  });

  it("list a session that uploads, as a table and as JSON", { timeout: 60_000 }, async () => {
    start();
    stuck = await hub.run({ projectId: PROJECT._id, stage: [] });
    await eventuallyHolds(() => assert.ok(hub.requests.includes("upload")), WAIT_MS);
    await eventuallyHolds(async () => {
      const { code, out } = await maskline("sessions");
      assert.equal(code, 0);
      const [heading, line] = out.split("\n");
      assert.match(heading ?? "", /^SESSION +RUN +PROJECT +STATE +PROGRESS +AGE$/);
      assert.match(line ?? "", new RegExp(`^${stuck.session} +\\w{26} +${PROJECT._id} +uploads +40 of 40 \\(100 %\\) +\\d+ s$`));
    }, WAIT_MS);
    const { sessions } = JSON.parse((await maskline("sessions", "--json")).out);
    assert.deepEqual([sessions.length, sessions[0].state, sessions[0].progress], [1, "uploading", { done: 40, total: 40 }]);
  });

  it("cancel it in the middle of its upload; the user is told by whom, and spool, export and archive go", { timeout: 60_000 }, async () => {
    const { code, out, err } = await maskline("cancel", stuck.session);
    assert.equal(code, 0, err);
    assert.match(out, new RegExp(`^Session ${stuck.session} \\(run \\w{26}\\) is cancelled by ${userInfo().username}`));
    assert.deepEqual(await stuck.result, { error: true, session: stuck.session });
    const { level, msg } = stuck.logs.at(-1) ?? {};
    assert.equal(level, "ERROR");
    assert.match(msg ?? "", new RegExp(`^Cancelled by ${userInfo().username}, who runs this plugin: 40 of 40 assets were done`));
    await eventuallyHolds(async () => {
      const left = await readdir(dataDir, { recursive: true });
      assert.deepEqual(
        left.filter((name) => /\/(?:exports|keys|runs|blobs)\/./.test(`/${name}`) && !name.includes("runs.mdb") && !name.endsWith("/~tmp")),
        [],
      );
    }, WAIT_MS);
  });

  it("cancel nothing twice, nor what does not exist, and say so with other exit codes", async () => {
    const again = await maskline("cancel", stuck.session, "--by", "grace");
    assert.equal(again.code, 3);
    assert.match(again.err, /had ended already, \d+ s ago, with an error\. Nothing was changed\./);
    const unknown = await maskline("cancel", "no-such-session");
    assert.equal(unknown.code, 4);
    assert.match(unknown.err, /has no session and no run no-such-session/);
    assert.equal(stuck.results.length, 1);
  });

  it("keep it cancelled over a kill, after which other sessions run as ever", { timeout: 60_000 }, async () => {
    await running.kill();
    const gone = await maskline("sessions");
    assert.equal(gone.code, 1);
    assert.match(gone.err, /the gateway gateway-plugin-1 \(process \d+, started .*\) does not answer/);
    uploading = undefined;
    start();
    const next = await hub.run({ projectId: PROJECT._id, stage: [] });
    assert.equal((await next.result).export, true);
    const { out } = await maskline("sessions", "--all");
    assert.match(out, new RegExp(`${stuck.session} .* ended: error`));
    assert.equal(stuck.results.length, 1);
  });
});
