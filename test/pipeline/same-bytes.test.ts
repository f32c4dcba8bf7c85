import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Bus, Delivery } from "../../services/runtime/bus/bus.js";
import { linesOf } from "../hub-simulator/export-zip.js";
import { projectRoot } from "../project-root.js";
import { startPipeline } from "./pipeline.js";

const sample = join(projectRoot, "test/sample-project");
const executable = fileURLToPath(new URL("../../services/main.js", import.meta.url));
const clock = pathToFileURL(join(projectRoot, "test/pipeline/shifted-clock.mjs")).href;
const YEAR_MS = 365 * 24 * 3_600_000;
/** The sample's images lie nowhere here. */
const WITHOUT_IMAGES = { FETCH_CONCURRENCY: "0" };

/** Delivers the messages of a queue in groups, each group backwards: parts and assets complete in an order that nobody published. */
function shuffled(bus: Bus): Bus {
  return {
    ...bus,
    consume: (queue, options, deliver) => {
      let held: Delivery[] = [];
      let timer: NodeJS.Timeout | undefined;
      const flush = () => {
        clearTimeout(timer);
        timer = undefined;
        const group = held;
        held = [];
        for (const delivery of group.reverse()) deliver(delivery);
      };
      return bus.consume(queue, options, (delivery) => {
        held.push(delivery);
        if (held.length >= Math.min(7, options.maxHeld)) flush();
        else timer ??= setTimeout(flush, 5);
      });
    },
  };
}

describe("the same export gives the same bytes", () => {
  let folder: string;
  let expected: Buffer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-same-"));
    expected = await convert("expected.zip", {});
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function convert(name: string, env: Readonly<Record<string, string>>): Promise<Buffer> {
    const out = join(folder, name);
    const args = [executable, "convert", join(sample, "export.ndjson"), "--out", out, "--ontology", join(sample, "project.json")];
    await promisify(execFile)(process.execPath, args, {
      env: { PATH: process.env.PATH, TMPDIR: folder, CONCURRENCY: "1", ...WITHOUT_IMAGES, ...env },
      timeout: 60_000,
    });
    return readFile(out);
  }

  it("with another CONCURRENCY", async () => {
    assert.ok(expected.equals(await convert("concurrency.zip", { CONCURRENCY: "3" })));
  });

  it("in another time zone and locale", async () => {
    assert.ok(expected.equals(await convert("zone.zip", { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" })));
  });

  it("with a clock that is two years ahead", async () => {
    const shift = { NODE_OPTIONS: `--import ${clock}`, MASKLINE_TEST_CLOCK_SHIFT: String(2 * YEAR_MS) };
    assert.ok(expected.equals(await convert("clock.zip", shift)));
  });

  it("through a Hub session instead of a file, with every message delivered out of order", async () => {
    const project = JSON.parse(await readFile(join(sample, "project.json"), "utf8"));
    const pipeline = await startPipeline({
      rows: () => linesOf(join(sample, "export.ndjson")),
      project,
      wrapBus: shuffled,
      env: { CONCURRENCY: "4", ...WITHOUT_IMAGES },
    });
    try {
      const { bytes } = await pipeline.run({ verbose_frequency: 7 });
      assert.ok(bytes);
      assert.ok(expected.equals(bytes));
    } finally {
      await pipeline.close();
    }
  });
});
