import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLogger } from "../../log.js";
import { dropKnownWarning, tellDetail } from "./kafkajs-noise.js";

describe("what kafkajs says", () => {
  it("is a detail of our log, without what it attaches", () => {
    const lines: string[] = [];
    const log = createLogger("debug", (line) => lines.push(line));
    tellDetail(log, { namespace: "Connection", log: { message: "Response", topic: "t", error: new Error("no"), sasl: "canary" } });
    const [line = "{}"] = lines;
    assert.match(line, /kafkajs Connection: Response/);
    assert.match(line, /"topic":"t"/);
    assert.match(line, /"error":"no"/);
    assert.doesNotMatch(line, /canary/);
  });

  it("by a timer in the past is not printed; anybody else's warning is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "maskline-warning-"));
    const { emitWarning } = process;
    try {
      const inKafkajs = join(folder, "kafkajs", "src");
      await mkdir(inKafkajs, { recursive: true });
      for (const path of [folder, inKafkajs])
        await writeFile(join(path, "warn.cjs"), "module.exports = (...all) => process.emitWarning(...all);");
      const [other, kafkajs] = [folder, inKafkajs].map((path) => createRequire(import.meta.url)(join(path, "warn.cjs")));
      const printed: unknown[] = [];
      process.emitWarning = (...all: unknown[]) => printed.push(all);
      dropKnownWarning();
      kafkajs("of a timer", "TimeoutNegativeWarning");
      kafkajs("of something else", "DeprecationWarning");
      other("of another timer", "TimeoutNegativeWarning");
      assert.deepEqual(printed, [
        ["of something else", "DeprecationWarning"],
        ["of another timer", "TimeoutNegativeWarning"],
      ]);
    } finally {
      process.emitWarning = emitWarning;
      await rm(folder, { recursive: true, force: true });
    }
  });
});
