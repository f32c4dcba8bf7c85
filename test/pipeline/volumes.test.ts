/** An archive that is too large for one file, from a real process that is killed between its volumes. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type HubEvent, type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { type Archive, readArchive, readArchiveBytes } from "../support/archive.js";
import { type Child, startChild } from "../support/children.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const ASSETS = 60;
/** Some six masks. */
const LIMIT = "2000";
const WAIT_MS = 30_000;
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({ id: `task-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }),
);
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };

const executable = fileURLToPath(new URL("../../services/main.js", import.meta.url));

const isMask = (name: string) => name.endsWith(".png");

const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

type HashedMask = readonly [name: string, sha256: string];

/** What a user has who follows the links: the hashes of all volumes, and of the masks in them, in order. */
async function followLinks(index: Archive): Promise<{ readonly zips: readonly string[]; readonly masks: readonly HashedMask[] }> {
  const zips: string[] = [];
  const masks: HashedMask[] = [];
  for (const { url, sha256, bytes } of JSON.parse(String(index.get("volumes.json"))).volumes) {
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    const zip = Buffer.from(await answer.arrayBuffer());
    assert.deepEqual([zip.length, hashOf(zip)], [bytes, sha256]);
    assert.ok(zip.length <= Number(LIMIT));
    zips.push(sha256);
    masks.push(...hashed(await readArchiveBytes(zip)));
  }
  return { zips, masks };
}

const hashed = (archive: Archive): HashedMask[] => [...archive].map(([name, content]) => [name, hashOf(content)]);

it("maskline convert splits the archive when it is told to, and lays the volumes beside it", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "maskline-convert-volumes-"));
  try {
    const exported = join(folder, "export.ndjson");
    await writeFile(exported, rows.map((one) => `${JSON.stringify(one)}\n`).join(""));
    const convert = (out: string, env: Readonly<Record<string, string>>) =>
      promisify(execFile)(process.execPath, [executable, "convert", exported, "--out", join(folder, out)], {
        env: { PATH: process.env.PATH, TMPDIR: tmpdir(), CONCURRENCY: "1", ...env },
      });
    await convert("whole.zip", {});
    const whole = hashed(await readArchive(join(folder, "whole.zip"))).filter(([name]) => isMask(name));
    assert.equal(whole.length, ASSETS);
    await convert("index.zip", { ARCHIVE_LIMIT: LIMIT });
    const index = await readArchive(join(folder, "index.zip"));
    const masks: HashedMask[] = [];
    for (const { file, url } of JSON.parse(String(index.get("volumes.json"))).volumes) {
      assert.equal(url, pathToFileURL(join(folder, file)).href);
      masks.push(...hashed(await readArchive(join(folder, file))));
    }
    assert.deepEqual(masks, whole);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

describe("an archive over ARCHIVE_LIMIT", () => {
  let hub: HubSimulator;
  let dataDir: string;
  let whole: readonly HashedMask[];
  let running: Child;
  /** Refuses uploads while it is true. */
  let refusing = false;
  let sockets = 0;

  const start = (env: Readonly<Record<string, string>>) => {
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
        ...env,
      },
    });
  };
  const press = () => hub.run({ projectId: PROJECT._id, stage: [] });
  const archiveOf = async (handle: SessionHandle) => {
    assert.equal((await handle.result).export, true, handle.logs.map(({ msg }) => msg).join("\n"));
    return readArchiveBytes(await handle.download());
  };

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "maskline-volumes-"));
    const onRequest = (name: string) => (name === "upload" && refusing ? { status: 503 } : undefined);
    const faults = { onRequest };
    const onEvent = (event: HubEvent) => {
      if ("connection" in event) sockets += event.connection.connected ? 1 : -1;
    };
    hub = await startHubSimulator({ projects: [{ project: PROJECT, rows }], ...PLUGIN, apiKey: "key", pingInterval: 200, faults, onEvent });
    start({});
    whole = hashed(await archiveOf(await press())).filter(([name]) => isMask(name));
    assert.equal(whole.length, ASSETS);
    await running.kill();
    // A session that goes to a socket which is about to close is lost.
    await eventuallyHolds(() => assert.equal(sockets, 0), WAIT_MS);
  });
  after(async () => {
    await running.kill();
    await hub.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  let undisturbed: readonly string[] = [];

  it("is a small zip that links volumes, which hold every mask once and open by themselves", { timeout: 90_000 }, async () => {
    start({ ARCHIVE_LIMIT: LIMIT });
    const handle = await press();
    const index = await archiveOf(handle);
    const { zips, masks } = await followLinks(index);
    assert.deepEqual([...index.keys()].filter(isMask), []);
    assert.deepEqual(masks, whole);
    assert.ok(zips.length >= 6);
    assert.match(handle.logs.at(-1)?.msg ?? "", /volumes\.json in the archive links the \d+ volumes/);
    assert.equal(hub.violations.length, 0, hub.violations.join("\n"));
    undisturbed = zips;
  });

  it("survives kills between its volumes and a storage that refuses: the same volumes, and what was uploaded stays so", {
    timeout: 120_000,
  }, async () => {
    const before = hub.uploads.length;
    const uploaded = (count: number) => eventuallyHolds(() => assert.ok(hub.uploads.length >= before + count), WAIT_MS);
    const handle = await press();
    for (const count of [1, 3, undisturbed.length]) {
      await uploaded(count);
      await running.kill();
      start({ ARCHIVE_LIMIT: LIMIT });
    }
    refusing = true;
    setTimeout(() => {
      refusing = false;
    }, 500);
    const { zips, masks } = await followLinks(await archiveOf(handle));
    assert.deepEqual(masks, whole);
    assert.deepEqual(zips, undisturbed);
    // Each kill costs the upload at the most that was under way.
    assert.ok(hub.uploads.length - before <= undisturbed.length + 1 + 3, `${hub.uploads.length - before} uploads`);
    assert.equal(handle.results.length, 1);
  });
});
