/** No secret leaves the services anywhere; and the test that says so does find them when nothing is redacted. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { projectRoot } from "../project-root.js";
import { findCanaries } from "./canaries.js";
import { CONNECTORS, type ConnectorName } from "./services.js";

const CHANNELS = [
  "service log",
  "Hub log",
  "results",
  "gRPC",
  "gRPC errors",
  "bus",
  "archive",
  "disk while a result waits",
  "disk after the end",
  "requests to storage",
  "traces and metrics",
  "/metrics",
];

/** The canaries found, by channel. */
async function search(connector: ConnectorName, preloaded: readonly string[] = []): Promise<Record<string, string[]>> {
  const script = fileURLToPath(new URL("./canary-run.js", import.meta.url));
  const env = { PATH: process.env.PATH, TMPDIR: tmpdir(), MASKLINE_ROOT: process.env.MASKLINE_ROOT };
  const { stdout } = await promisify(execFile)(process.execPath, [...preloaded, script, connector], { env, timeout: 90_000 });
  return JSON.parse(stdout);
}

describe("keys, secrets and signatures", { concurrency: true, timeout: 120_000 }, () => {
  for (const connector of CONNECTORS) {
    it(`${connector}: are in no log, trace, metric, result, message, file, archive or error, though Hub and its storage repeat them in their complaints`, async () => {
      const found = await search(connector);
      const channels = [...CHANNELS, ...(connector === "REST" ? ["HTTP errors"] : [])];
      assert.deepEqual(found, Object.fromEntries(channels.sort().map((channel) => [channel, []])));
    });

    it(`${connector}: would be found in logs and traces if nothing were redacted`, async () => {
      const found = await search(connector, ["--import", pathToFileURL(join(projectRoot, "test/hazards/without-redaction.mjs")).href]);
      for (const channel of ["service log", "Hub log", "traces and metrics"]) {
        const names = found[channel] ?? [];
        for (const canary of ["api key", "plugin secret", "signature in a complaint"])
          assert.ok(names.includes(canary), `${canary} in ${channel}`);
        assert.ok(
          names.some((name) => name.startsWith("signature of upload")),
          `the signature of an upload in ${channel}`,
        );
      }
    });
  }

  it("are found however they are written, and not in what is like them", () => {
    const canaries = { key: "a+b/c&d e=0123456789" };
    const spelled = [
      canaries.key,
      encodeURIComponent(canaries.key),
      Buffer.from(canaries.key).toString("hex"),
      ...["", "x", "xy", "xyz"].map((before) => Buffer.from(`${before}${canaries.key}${before}`).toString("base64")),
    ];
    for (const text of spelled) assert.deepEqual(findCanaries(`some ${text} text`, canaries), ["key"], text);
    assert.deepEqual(findCanaries(Buffer.from(`\0\xff${canaries.key}`, "latin1"), canaries), ["key"]);
    for (const text of ["a+b/c&d e", "A+B/C&D E=0123456789", ""]) assert.deepEqual(findCanaries(text, canaries), []);
  });
});
