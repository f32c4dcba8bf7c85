import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import { readArchiveBytes } from "../support/archive.js";
import { type Child, startChild } from "../support/children.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const ASSETS = 500;
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({ id: `task-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }),
);
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };

describe("maskline all, killed in the middle of a session and started again", () => {
  let hub: HubSimulator;
  let dataDir: string;
  let undisturbed: Buffer;
  let running: Child;

  const uploadUrls = () => hub.requests.filter((name) => name === "getUploadUrl").length;
  const start = () => {
    running = startChild({
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
        LOGLEVEL: "warn",
        CONCURRENCY: "1",
        SESSION_WINDOW: "32",
      },
    });
  };

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "maskline-killed-"));
    hub = await startHubSimulator({ projects: [{ project: PROJECT, rows }], ...PLUGIN, apiKey: "key", pingInterval: 200 });
    start();
    const handle = await hub.run({ projectId: PROJECT._id, stage: [] });
    assert.equal((await handle.result).export, true);
    undisturbed = await handle.download();
  });
  after(async () => {
    await running.kill();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  for (const [when, waitFor] of Object.entries({
    "as soon as the session was accepted": (lines: () => readonly string[]) => until(() => lines().length > 0),
    "while assets were on their way": (lines: () => readonly string[]) => until(() => lines().some((line) => /of 500/.test(line))),
    "when the archive was about to be uploaded": (_lines: () => readonly string[], uploadsBefore: number) =>
      until(() => uploadUrls() > uploadsBefore),
  })) {
    it(`${when}, answers with the same archive`, { timeout: 60_000 }, async () => {
      const uploadsBefore = uploadUrls();
      const handle = await hub.run({ projectId: PROJECT._id, stage: [], configJSON: '{"verbose_frequency": 20}' });
      await waitFor(() => handle.logs.map(({ msg }) => msg), uploadsBefore);
      await running.kill();
      const answeredBefore = handle.results.length;
      start();
      const result = await handle.result;
      assert.equal(result.export, true, handle.logs.map(({ msg }) => msg).join("\n"));
      const bytes = await handle.download();
      assert.ok(bytes.equals(undisturbed));
      assert.equal([...(await readArchiveBytes(bytes)).keys()].filter((name) => name.endsWith(".png")).length, ASSETS);
      assert.ok(handle.results.length <= answeredBefore + 1, "an answer is repeated after a kill at the most");
      for (const repeated of handle.results) assert.deepEqual(repeated, result);
    });
  }
});

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !condition(); await sleep(2)) {
    if (Date.now() > end) throw new Error("waited 20 s in vain");
  }
}
