import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startHubSimulator } from "../hub-simulator/server.js";
import { projectRoot } from "../project-root.js";
import { classMapping, readArchive } from "../support/archive.js";
import { PROJECT } from "./pipeline.js";
import { polygon, row, segmentation, square } from "./rows.js";

const executable = fileURLToPath(new URL("../../services/main.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

describe("maskline", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-cli-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  function maskline(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    onErr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void,
    endAfter?: Promise<unknown>,
  ): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [executable, ...args], {
        env: { PATH: process.env.PATH, TMPDIR: folder, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 60_000,
      });
      endAfter?.then(() => child.kill("SIGTERM"));
      let [out, err] = ["", ""];
      child.stdout.on("data", (chunk) => {
        out += chunk;
      });
      child.stderr.on("data", (chunk) => {
        err += chunk;
        onErr?.(err, (signal) => child.kill(signal));
      });
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, out, err }));
    });
  }

  it("lists its commands", async () => {
    const { code, out } = await maskline(["--help"]);
    assert.equal(code, 0);
    for (const command of ["all", "gateway", "filter", "rasterizer", "packager", "convert", "sessions", "cancel"])
      assert.match(out, new RegExp(`\\n  ${command}\\b`));
  });

  it("tells its version", async () => {
    const { version } = JSON.parse(await readFile(join(projectRoot, "package.json"), "utf8"));
    assert.equal((await maskline(["--version"])).out, `${version}\n`);
  });

  it("exits with 2 when it is called wrongly, and says what is wrong", async () => {
    const calls = {
      "": /Commands:/,
      pack: /unknown command 'pack'/,
      "convert export.json": /--out/,
      cancel: /'id'/,
      "sessions --every": /--every/,
    };
    await Promise.all(
      Object.entries(calls).map(async ([args, said]) => {
        const { code, err } = await maskline(args.split(" ").filter((arg) => arg !== ""));
        assert.match(err, said);
        assert.equal(code, 2, args);
      }),
    );
  });

  it("tells all mistakes of its environment at once and exits with 2", async () => {
    const { code, err } = await maskline(["all"], { HOST: "hub", SESSION_WINDOW: "many", BUS: "pigeons" });
    assert.equal(code, 2);
    for (const name of ["HOST", "SESSION_WINDOW", "BUS", "PLUGIN_ID", "PLUGIN_SECRET"]) assert.match(err, new RegExp(`- ${name} `));
  });

  for (const role of ["gateway", "filter", "rasterizer", "packager"]) {
    it(`says that ${role} alone needs a bus that reaches other processes`, async () => {
      const env = { HOST: "http://127.0.0.1:1", PLUGIN_ID: "p", PLUGIN_SECRET: "s", GRPC_TOKEN: "t", GATEWAY_ADDRS: "127.0.0.1:1" };
      const { code, err } = await maskline([role], env);
      assert.equal(code, 2);
      assert.match(err, /BUS is "memory", which lives in one process/);
    });
  }

  it("all answers /livez and /readyz, and ends with 0 on SIGTERM", async () => {
    const hub = await startHubSimulator({ projects: [{ project: PROJECT, rows: [] }], pluginId: "p", pluginSecret: "s", apiKey: "k" });
    try {
      const states: number[] = [];
      let asked = false;
      const env = { HOST: hub.url, PLUGIN_ID: "p", PLUGIN_SECRET: "s", DATA_DIR: join(folder, "data"), HEALTH_PORT: "0", CONCURRENCY: "1" };
      const { code, err } = await maskline(["all"], env, async (text, kill) => {
        const port = /"healthPort":(\d+)/.exec(text)?.[1];
        if (port === undefined || asked) return;
        asked = true;
        await hub.waitForPlugin();
        states.push((await fetch(`http://127.0.0.1:${port}/livez`)).status);
        for (let tries = 0; tries < 200; tries++) {
          const ready = (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
          if (ready === 200) {
            states.push(ready);
            break;
          }
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        kill("SIGTERM");
      });
      assert.deepEqual(states, [200, 200], err);
      assert.equal(code, 0, err);
    } finally {
      await hub.close();
    }
  });

  it("all starts nothing when its health port is taken, and says which key to set", async () => {
    const other = createServer().listen(0);
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const data = join(folder, "never");
    const env = { HOST: "http://127.0.0.1:1", PLUGIN_ID: "p", PLUGIN_SECRET: "s", DATA_DIR: data, HEALTH_PORT: String(port) };
    const { code, err } = await maskline(["all"], env);
    other.close();
    assert.equal(code, 1, err);
    assert.match(err, /^maskline failed: .*HEALTH_PORT/);
    await assert.rejects(readdir(data), { code: "ENOENT" });
  });

  it("all refuses to be another packager than the one whose volume it has", async () => {
    const data = join(folder, "renamed");
    await mkdir(join(data, "packager"), { recursive: true });
    await writeFile(join(data, "packager", "packager-id"), "old\n");
    const env = { HOST: "http://127.0.0.1:1", PLUGIN_ID: "p", PLUGIN_SECRET: "s", DATA_DIR: data, HEALTH_PORT: "0", PACKAGER_ID: "new" };
    const { code, err } = await maskline(["all"], env);
    assert.equal(code, 2, err);
    assert.match(err, /PACKAGER_ID is "new", but .* "old"/);
  });

  describe("convert", () => {
    afterEach(async () => {
      const left = (await readdir(folder)).filter((name) => name.startsWith("maskline-convert-"));
      assert.deepEqual(left, [], "a conversion leaves no temporary files behind");
    });

    const rows = [
      row({ id: "a", tools: [segmentation("Tree", "t", { region: square(1, 1, 3), holes: [] })] }),
      row({ id: "b", tools: [polygon("Road", "r", square(1, 1, 3)), segmentation("Tree", "t", { region: square(6, 6, 3) })] }),
    ];
    const file = async (name: string, text: string) => {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    };

    it("numbers classes by first appearance without an ontology, from JSON and NDJSON alike", async () => {
      const archives = [];
      for (const [name, text] of [
        ["rows.ndjson", rows.map((line) => JSON.stringify(line)).join("\n")],
        ["rows.json", JSON.stringify(rows, undefined, 2)],
      ] as const) {
        const out = join(folder, `${name}.zip`);
        const { code, err, out: said } = await maskline(["convert", await file(name, text), "--out", out]);
        assert.equal(code, 0, err);
        assert.match(said, /The masks are in /);
        const archive = await readArchive(out);
        assert.deepEqual(
          [...classMapping(archive)],
          [
            ["Tree", 1],
            ["Road", 2],
          ],
        );
        archives.push(await readFile(out));
      }
      assert.ok(archives[0] && archives[1]?.equals(archives[0]));
    });

    it("says why project_colors needs an ontology, and exits with 1", async () => {
      const config = await file("colours.json", '{"class_mapping_type": "project_colors"}');
      const out = join(folder, "never.zip");
      const { code, err } = await maskline(["convert", await file("c.json", JSON.stringify(rows)), "--out", out, "--config", config]);
      assert.equal(code, 1);
      assert.match(err, /ERROR: .*project_colors.*--ontology/s);
      await assert.rejects(readFile(out));
    });

    it("applies the Config JSON, and tells all that is wrong with it", async () => {
      const wrong = await file("wrong.json", '{"verbose_frequency": 0, "batch_names": "all"}');
      const { code, err } = await maskline([
        "convert",
        await file("d.json", JSON.stringify(rows)),
        "--out",
        join(folder, "d.zip"),
        "--config",
        wrong,
      ]);
      assert.equal(code, 1);
      assert.match(err, /verbose_frequency/);
      assert.match(err, /batch_names/);
    });

    it("refuses to write over what it reads, and over what is no file, before any work is done", async () => {
      const rowsFile = await file("precious.json", JSON.stringify(rows));
      for (const out of [rowsFile, folder, "", "/dev/null", join(rowsFile, "x.zip")]) {
        const { code, err } = await maskline(["convert", rowsFile, "--out", out]);
        assert.equal(code, 2, `${out}: ${err}`);
        assert.match(err, /--out is /);
      }
      assert.equal(await readFile(rowsFile, "utf8"), JSON.stringify(rows));
    });

    it("exits with 3 when every asset was rejected, and says where the reasons are", async () => {
      const unsized = [row({ id: "a", size: null }), { nonsense: true }, row({ id: "c", standing: "untouched" })];
      const out = join(folder, "nothing.zip");
      const unsizedFile = await file("unsized.json", JSON.stringify(unsized));
      const { code, err, out: said } = await maskline(["convert", unsizedFile, "--out", out, "--no-fetch"]);
      assert.equal(code, 3, err);
      assert.equal(said, "");
      assert.equal(
        err.trimEnd().split("\n").at(-1),
        `No mask was made: all 2 assets were rejected. The manifest in ${out} names the reason of each.`,
      );
      assert.match(String((await readArchive(out)).get("manifest.csv")), /a\.png,a,,rejected,"the export does not tell its size/);
    });

    it("exits with 0 when there was nothing to paint, or some of it was painted", async () => {
      for (const [name, some] of Object.entries({
        empty: [],
        unlabeled: [row({ id: "a", standing: "untouched" })],
        some: [row({ id: "a", size: null }), ...rows],
      })) {
        const out = join(folder, `${name}.zip`);
        const someFile = await file(`${name}.json`, JSON.stringify(some));
        const { code, err, out: said } = await maskline(["convert", someFile, "--out", out, "--no-fetch"]);
        assert.equal(code, 0, err);
        assert.equal(said, `The masks are in ${out}\n`);
      }
    });

    it("says which file can not be read, and exits with 2", async () => {
      const [out, rowsFile, missing] = [join(folder, "e.zip"), await file("e.json", JSON.stringify(rows)), join(folder, "missing.json")];
      const calls = [[missing], [folder], [rowsFile, "--ontology", missing], [rowsFile, "--config", missing]];
      await Promise.all(
        calls.map(async (given) => {
          const { code, err } = await maskline(["convert", ...given, "--out", out]);
          assert.match(
            err,
            given[0] === folder ? /it is a folder/ : /missing\.json"?, which can not be read|missing\.json can not be read/,
          );
          assert.equal(code, 2, err);
        }),
      );
    });

    it("stops at a signal while it waits for a file, too", { skip: process.platform === "win32" ? "no named pipes" : false }, async () => {
      const pipe = join(folder, "config.pipe");
      await promisify(execFile)("mkfifo", [pipe]);
      const opened = open(pipe, "w");
      try {
        const args = ["convert", await file("f.json", JSON.stringify(rows)), "--out", join(folder, "f.zip"), "--config", pipe];
        const { code, err } = await maskline(args, {}, undefined, opened);
        assert.match(`${code} ${err}`, /^143 .*Stopped by SIGTERM/s);
      } finally {
        const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
        await (await opened).close();
        await reader.close();
      }
    });

    for (const { signals, expected } of [
      { signals: ["SIGINT"], expected: /^130 .*Stopped by SIGINT/s },
      { signals: ["SIGTERM"], expected: /^143 .*Stopped by SIGTERM/s },
      // Which of them comes second, and ends it at once, is up to the kernel.
      { signals: ["SIGINT", "SIGTERM"], expected: /^(130|143) / },
    ] as const) {
      it(`stops on ${signals.join(" and ")}, and leaves nothing behind`, async () => {
        const many = Array.from({ length: 5_000 }, (_, index) => JSON.stringify({ ...rows[1], externalId: `${index}.png` })).join("\n");
        const out = join(folder, "stopped.zip");
        let sent = false;
        const { code, err } = await maskline(
          ["convert", await file("many.ndjson", many), "--out", out],
          { CONCURRENCY: "1" },
          (said, kill) => {
            if (sent || !said.includes("No ontology")) return;
            sent = true;
            for (const signal of signals) kill(signal);
          },
        );
        assert.match(`${code} ${err}`, expected);
        await assert.rejects(readFile(out));
      });
    }

    it("makes the shipped sample in the colours of its ontology", async () => {
      const sample = join(projectRoot, "test/sample-project");
      const config = await file("sample.json", '{"class_mapping_type": "project_colors"}');
      const out = join(folder, "sample.zip");
      const args = ["convert", join(sample, "export.ndjson"), "--out", out, "--ontology", join(sample, "project.json"), "--config", config];
      const { code, err } = await maskline([...args, "--no-fetch"]);
      assert.equal(code, 0, err);
      assert.ok((await readArchive(out)).size > 50);
    });
  });
});
