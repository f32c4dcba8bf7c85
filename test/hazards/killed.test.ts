/** Hazards 1 and 3 of docs/hub-protocol.md section 9 with the process that ships: it is killed, and Hub is not there when it starts. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import { PROJECT } from "../pipeline/pipeline.js";
import { type Child, startChild } from "../support/children.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { freePort } from "../support/free-port.js";
import { assertOneResult } from "./endings.js";
import { CONNECTORS, type ConnectorName } from "./services.js";
import { createGate, inTime, PATIENCE_MS, PLUGIN, ROWS } from "./stage.js";

async function survives(connector: ConnectorName): Promise<void> {
  const [hubPort, port] = [await freePort(), await freePort()];
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-hazards-"));
  const start = (): Child =>
    startChild({
      name: "maskline all",
      script: new URL("../../services/main.js", import.meta.url),
      args: ["all"],
      env: {
        ...{ PATH: process.env.PATH, TMPDIR: tmpdir(), DATA_DIR: dataDir, HEALTH_PORT: "0", LOGLEVEL: "error", CONCURRENCY: "1" },
        ...{ HOST: `http://127.0.0.1:${hubPort}`, PLUGIN_ID: PLUGIN.pluginId, PLUGIN_SECRET: PLUGIN.pluginSecret },
        ...{ CONNECTOR: connector, PORT: String(port), LISTEN_HOST: "127.0.0.1" },
      },
    });
  let child = start();
  let hub: HubSimulator | undefined;
  try {
    if (connector === "REST") await listening(port);
    else await sleep(500);
    const gate = createGate();
    hub = await startHubSimulator({
      projects: [{ project: PROJECT, rows: ROWS }],
      ...PLUGIN,
      ...{ apiKey: "key-canary", port: hubPort, pingInterval: 100 },
      faults: { onRequest: (name) => (name === "export" ? gate.opened : undefined) },
    });
    const plugin = connector === "REST" ? { pluginServer: `http://127.0.0.1:${port}` } : {};
    await Promise.race([connector === "WS" ? hub.waitForPlugin(PATIENCE_MS) : undefined, child.ended]);
    for (const kind of connector === "WS" ? (["tcp", "namespace", "clean"] as const) : []) {
      const beats = hub.heartbeats.length;
      hub.cutSockets(kind);
      await Promise.race([eventuallyHolds(() => assert.ok((hub?.heartbeats.length ?? 0) > beats), PATIENCE_MS), child.ended]);
    }
    const handle = await hub.run({ projectId: PROJECT._id, stage: [], ...plugin });
    await eventuallyHolds(() => assert.ok(hub?.requests.includes("export")), PATIENCE_MS);
    await child.kill();
    gate.open();
    child = start();
    const result = await Promise.race([inTime(handle), child.ended]);
    assert.equal(result.export, true);
    assertOneResult(handle.results);
    assert.deepEqual(hub.violations, []);
  } finally {
    await child.stop();
    await hub?.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function listening(port: number): Promise<void> {
  await eventuallyHolds(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/heartbeat`, { headers: { Secret: PLUGIN.pluginSecret } });
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }, PATIENCE_MS);
}

describe("maskline all", { concurrency: true, timeout: 120_000 }, () => {
  for (const connector of CONNECTORS) {
    it(`${connector}: waits for a Hub that is not there yet, lives through every cut, and answers after it was killed`, () =>
      survives(connector));
  }
});
