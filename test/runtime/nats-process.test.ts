/** A service as a process of its own whose NATS is not there yet: it waits, says why, and ends when it is told to. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findNats, type NatsServer, startNats } from "../brokers/nats.js";
import { type Child, startChild } from "../support/children.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { freePort } from "../support/free-port.js";

const nats = findNats();
const START_MS = 20_000;

describe("maskline rasterizer with BUS=nats", { skip: "skip" in nats ? nats.skip : false }, () => {
  let server: NatsServer;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-waiting-"));
    if ("program" in nats) server = await startNats(nats.program);
    await server.stop();
  });
  after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly child: Child; readonly readiness: () => Promise<string> }> {
    const port = await freePort();
    const child = startChild({
      name: "maskline rasterizer",
      script: new URL("../../services/main.js", import.meta.url),
      args: ["rasterizer"],
      env: { PATH: process.env.PATH, BUS: "nats", DATA_DIR: folder, HEALTH_PORT: String(port), CONCURRENCY: "1", LOGLEVEL: "warn", ...env },
    });
    const readiness = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
      return `${response.status} ${(await response.text()).trim()}`;
    };
    return { child, readiness };
  }

  it("waits for a broker that is away, says so in /readyz, and is ready when it is there", { timeout: 60_000 }, async () => {
    const { child, readiness } = await start({ NATS_URL: `nats://${server.address}` });
    try {
      const away = /^503 starting: NATS at nats:\/\/127\.0\.0\.1:\d+ \(NATS_URL\) can not be used: connection refused/;
      await eventuallyHolds(async () => assert.match(await readiness(), away), START_MS);
      await server.start();
      await eventuallyHolds(async () => assert.equal(await readiness(), "200 ok"), START_MS);
      await server.stop();
      await eventuallyHolds(async () => assert.equal(await readiness(), "503 the bus is away"), START_MS);
      await server.start();
      await eventuallyHolds(async () => assert.equal(await readiness(), "200 ok"), START_MS);
    } finally {
      await child.stop();
      await server.stop();
    }
    await assert.rejects(child.ended, /exit code 0/);
  });

  it("ends cleanly on SIGTERM while it waits", { timeout: 60_000 }, async () => {
    const { child, readiness } = await start({ NATS_URL: `nats://${server.address}` });
    await eventuallyHolds(async () => assert.match(await readiness(), /^503 starting: NATS at/), START_MS);
    await child.stop();
    await assert.rejects(child.ended, /exit code 0/);
  });

  it("ends at once with all mistakes of its configuration, and no secret in them", { timeout: 60_000 }, async () => {
    const { child } = await start({ NATS_TOKEN: "canary", NATS_USER: "maskline", NATS_PASSWORD: "canary", NATS_TLS_KEY_FILE: "/key.pem" });
    await assert.rejects(child.ended, (error: Error) => {
      assert.match(
        error.message,
        /exit code 2.*NATS_TOKEN and NATS_USER with NATS_PASSWORD are set.*NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE/s,
      );
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  });
});
