/** Hazard 7 of docs/hub-protocol.md section 9, in a process of its own for its memory to be measured. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertArchive, assertCleanStage } from "./endings.js";
import { CONNECTORS } from "./services.js";
import { openStage, ROWS } from "./stage.js";
import { largeZip } from "./zips.js";

const MIB = 2 ** 20;
/** More text than may be held, in few rows: their number costs time, and memory has nothing to do with it. */
const LARGE_ROWS = 40;
const ROW_MIB = 8;
const MAX_GROWTH_MIB = 120;

/** Half as compressible as what is taken for a bomb. */
const padding = Buffer.from(Array.from({ length: MIB / 512 }, (_, index) => `${index}`.padEnd(64, "0123456789").padEnd(512, "x")).join(""));

function* exportText(): Generator<Buffer> {
  for (const entry of ROWS) yield Buffer.from(`${JSON.stringify(entry)}\n`);
  for (let index = 0; index < LARGE_ROWS; index += 1) {
    yield Buffer.from(`{"externalId":"${index}","padding":"`);
    for (let mib = 0; mib < ROW_MIB; mib += 1) yield padding;
    yield Buffer.from('"}\n');
  }
}

describe("an export much larger than memory may be", { timeout: 120_000 }, () => {
  for (const connector of CONNECTORS) {
    it(`${connector}: 7: passes through in pieces`, async () => {
      const stage = await openStage({ connector, env: { ROW_LIMIT: "1M" } });
      let highest = 0;
      const sample = () => {
        highest = Math.max(highest, process.memoryUsage.rss());
      };
      const sampling = setInterval(sample, 10);
      try {
        const body = await largeZip(exportText);
        assertArchive(await stage.trial().run());
        const before = process.memoryUsage.rss();
        highest = before;
        const ended = await stage.trial({ fault: ({ name }) => (name === "download" ? { status: 200, body } : undefined) }).run();
        assertArchive(ended);
        assert.ok(ended.lines.some((line) => line.includes(`Rejected: ${LARGE_ROWS}`)));
        const growth = (highest - before) / MIB;
        assert.ok(growth < MAX_GROWTH_MIB, `${LARGE_ROWS * ROW_MIB} MiB of text took ${growth.toFixed(0)} MiB`);
      } finally {
        clearInterval(sampling);
        await stage.close();
      }
      assertCleanStage(stage);
    });
  }
});
