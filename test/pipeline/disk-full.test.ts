import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startHubSimulator } from "../hub-simulator/server.js";
import { readArchiveBytes } from "../support/archive.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const executable = fileURLToPath(new URL("../../services/main.js", import.meta.url));
const PLUGIN = { pluginId: "plugin-1", pluginSecret: "secret" };
const DISK = "8m";
/** A disk of its own for one process and those it starts, in a mount namespace: nobody else sees it, and it goes with them. */
const ON_SMALL_DISK = ["-rm", "sh", "-c", `mount -t tmpfs -o size=${DISK} tmpfs "$0" && exec "$@"`];

function whyNot(): string | false {
  try {
    execFileSync("unshare", ["-rm", "sh", "-c", `mount -t tmpfs -o size=${DISK} tmpfs "$0"`, tmpdir()], { stdio: "ignore" });
    return false;
  } catch {
    return "a small disk can not be mounted here (unshare -rm needs Linux and user namespaces)";
  }
}

const numbered = <T>(count: number, of: (index: number) => T) => Array.from({ length: count }, (_, index) => of(index));
const few = numbered(20, (index) => row({ id: `few-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }));
/** Its text alone is larger than the disk. */
const manyRows = numbered(20_000, (index) => row({ id: `many-${index}`, tools: [polygon("Road", "road", square(index % 9, 1, 4))] }));
/** Its text is small, but the masks compress badly. */
const tangle = (seed: number) => numbered(200, (at) => [(at * 7919 * seed) % 1000, (at * 104_729 + seed * 31) % 1000]);
const largeMasks = numbered(700, (index) =>
  row({ id: `large-${index}`, size: [1000, 1000], tools: [polygon("Road", "road", tangle(index + 1))] }),
);

describe("on a disk that is full", { skip: whyNot() }, () => {
  it("a session says so and ends, whoever ran out of room; the next one has it again", { timeout: 120_000 }, async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "maskline-full-"));
    const project = (name: string, rows: readonly object[]) => ({ project: { ...PROJECT, _id: name }, rows });
    const projects = [project("few", few), project("many", manyRows), project("large", largeMasks)];
    const hub = await startHubSimulator({ projects, ...PLUGIN, apiKey: "key", pingInterval: 100 });
    const env = {
      PATH: process.env.PATH,
      TMPDIR: dataDir,
      HOST: hub.url,
      PLUGIN_ID: PLUGIN.pluginId,
      PLUGIN_SECRET: PLUGIN.pluginSecret,
      DATA_DIR: dataDir,
      HEALTH_PORT: "0",
      LOGLEVEL: "silent",
      CONCURRENCY: "2",
    };
    const maskline = spawn("unshare", [...ON_SMALL_DISK, dataDir, process.execPath, executable, "all"], { env, stdio: "ignore" });
    const exited = once(maskline, "exit");
    const died = exited.then(([code, signal]) => Promise.reject(new Error(`maskline all ended (${code ?? signal})`)));
    died.catch(() => undefined);
    try {
      const run = async (projectId: string) => {
        const handle = await hub.run({ projectId, stage: [] });
        const { error } = await Promise.race([handle.result, died]);
        return { handle, failure: error ? handle.logs.at(-1)?.msg : undefined };
      };
      const succeeds = () =>
        eventuallyHolds(async () => {
          const { handle, failure } = await run("few");
          assert.equal(failure, undefined);
          assert.equal([...(await readArchiveBytes(await handle.download())).keys()].filter((name) => name.endsWith(".png")).length, 20);
        }, 20_000);
      assert.match((await run("many")).failure ?? "", /^The export can not be stored: the gateway's volume is full\./);
      await succeeds();
      assert.match((await run("large")).failure ?? "", /There is no room left on the disk where Maskline collects the masks\./);
      // The packager deletes what it had as soon as it is told that the session has ended, two seconds later at the most.
      await succeeds();
    } finally {
      maskline.kill("SIGKILL");
      await exited;
      await hub.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it("convert says so, exits with 1, and takes nothing with it that it had written", { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "maskline-full-"));
    const scratch = await mkdtemp(join(tmpdir(), "maskline-full-"));
    const [exported, out, left] = [join(folder, "export.ndjson"), join(folder, "masks.zip"), join(folder, "left.txt")];
    try {
      await writeFile(exported, manyRows.map((line) => `${JSON.stringify(line)}\n`).join(""));
      const inside = `"$@"; code=$?; ls "$0" > ${left}; exit $code`;
      const command = ["sh", "-c", inside, scratch, process.execPath, executable, "convert", exported, "--out", out];
      const env = { PATH: process.env.PATH, TMPDIR: scratch, CONCURRENCY: "1" };
      const maskline = spawn("unshare", [...ON_SMALL_DISK, scratch, ...command], { env, stdio: ["ignore", "ignore", "pipe"] });
      let err = "";
      maskline.stderr.on("data", (chunk) => {
        err += chunk;
      });
      const [code] = await once(maskline, "close");
      assert.equal(code, 1, err);
      assert.match(err, /ERROR: The export can not be stored: .* is full\./);
      assert.equal(await readFile(left, "utf8"), "");
      assert.deepEqual((await readdir(folder)).sort(), ["export.ndjson", "left.txt"]);
    } finally {
      await rm(folder, { recursive: true, force: true });
      await rm(scratch, { recursive: true, force: true });
    }
  });
});
