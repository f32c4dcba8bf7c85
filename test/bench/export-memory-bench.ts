/**
 * `npm run bench -- export`: an export of 600 MB of text through the gateway, a process of its own, from Run to the answer: its peak memory,
 * and what it takes of its disk. Fails when it is over the bound.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startHubSimulator } from "../hub-simulator/server.js";
import { startChild } from "../support/children.js";
import { type FixtureOptions, fixtureRows } from "./export-fixture.js";
import { bytesIn, peakBytes } from "./usage.js";

const EXPORT_BYTES = 600e6;
const BOUND_BYTES = 250e6;
const LOOK_EVERY_MS = 100;
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };
const PROJECT = {
  _id: "0123456789abcdef01234567",
  name: "Benchmark",
  categorySchema: { tools: [{ schemaId: "schema-0", title: "Road", tool: "polygon", color: "#203040" }] },
  stages: [{ id: "Complete", name: "Complete", type: "Complete" }],
  batches: [],
};

/** About 48 kB a row, as a busy street has. */
const FIXTURE: FixtureOptions = { assets: 1, width: 1920, height: 1080, decimals: 1, objects: 15 };

export async function exportMemoryBench(exportBytes = EXPORT_BYTES): Promise<void> {
  const [row = ""] = fixtureRows(FIXTURE);
  const assets = Math.ceil(exportBytes / row.length);
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-bench-"));
  const rows = () => fixtureRows({ ...FIXTURE, assets });
  const hub = await startHubSimulator({ projects: [{ project: PROJECT, rows }], ...PLUGIN, apiKey: "key", pingInterval: 500 });
  const gateway = startChild({
    name: "the gateway",
    script: new URL("./gateway-alone.js", import.meta.url),
    args: [],
    env: {
      PATH: process.env.PATH,
      TMPDIR: dataDir,
      HOST: hub.url,
      PLUGIN_ID: PLUGIN.pluginId,
      PLUGIN_SECRET: PLUGIN.pluginSecret,
      DATA_DIR: dataDir,
      LOGLEVEL: "warn",
    },
  });
  try {
    await Promise.race([hub.waitForPlugin(), gateway.ended]);
    const idle = peakBytes(gateway.pid);
    const startedAt = performance.now();
    const handle = await hub.run({ projectId: PROJECT._id, stage: [] });
    const ended = handle.result.then(() => true);
    let disk = 0;
    while (!(await Promise.race([ended, gateway.ended, sleep(LOOK_EVERY_MS, false)]))) disk = Math.max(disk, await bytesIn(dataDir));
    const seconds = (performance.now() - startedAt) / 1000;
    const result = await handle.result;
    if (result.error) throw new Error(`the session ended with an error: ${handle.logs.at(-1)?.msg}`);
    const peak = peakBytes(gateway.pid);
    // Confirmed after two pings; then the export goes.
    for (let tries = 0; tries < 100 && (await readdir(join(dataDir, "gateway", "exports"))).length > 0; tries++) await sleep(LOOK_EVERY_MS);
    const left = await bytesIn(dataDir);
    const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
    console.log("export: the gateway alone, from Run to the answer");
    console.log("| export MB | assets | seconds | idle RSS MB | peak RSS MB | its disk at most MB | after the answer MB |");
    console.log("|---|---|---|---|---|---|---|");
    console.log(
      `| ${mb(assets * row.length)} | ${assets} | ${seconds.toFixed(1)} | ${mb(idle)} | ${mb(peak)} | ${mb(disk)} | ${(left / 1e6).toFixed(1)} |`,
    );
    if (peak > BOUND_BYTES) throw new Error(`the gateway took ${mb(peak)} MB; it should stay below ${mb(BOUND_BYTES)}`);
  } finally {
    await gateway.kill();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}
