import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { test } from "node:test";
import { Fatal } from "./errors.js";
import { type HealthOptions, serveHealth } from "./health.js";

const HOST = "127.0.0.1";

async function withHealth(notReady: HealthOptions["notReady"], work: (base: string, port: number) => Promise<void>): Promise<void> {
  const health = await serveHealth(0, { notReady, host: HOST });
  try {
    await work(`http://${HOST}:${health.port}`, health.port);
  } finally {
    await health.close();
  }
}

async function probe(url: string, init?: RequestInit): Promise<string> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
  return `${response.status} ${(await response.text()).trim()}`;
}

test("live while the event loop turns, whether ready or not; ready when nothing is missing, else with the reason", async () => {
  let reason: string | undefined = "waiting for the bus";
  await withHealth(
    () => reason,
    async (base) => {
      assert.equal(await probe(`${base}/livez`), "200 ok");
      assert.equal(await probe(`${base}/readyz`), "503 waiting for the bus");
      reason = undefined;
      assert.equal(await probe(`${base}/readyz?verbose`), "200 ok");
      assert.equal(await probe(`${base}/livez`), "200 ok");
    },
  );
});

test("anything else is not found", () =>
  withHealth(
    () => undefined,
    async (base) => {
      for (const path of ["/", "/healthz", "/livez/", "/LIVEZ", "/../livez/x"]) assert.match(await probe(`${base}${path}`), /^404 /, path);
      for (const method of ["POST", "PUT", "DELETE"]) assert.match(await probe(`${base}/livez`, { method }), /^404 /, method);
    },
  ));

test("a readiness that can not be told is not ready, and the process lives on", () =>
  withHealth(
    () => {
      throw new Error("no idea");
    },
    async (base) => {
      assert.match(await probe(`${base}/readyz`), /^503 .*no idea/);
      assert.equal(await probe(`${base}/livez`), "200 ok");
    },
  ));

test("a body that never ends is not waited for", { timeout: 10_000 }, () =>
  withHealth(
    () => undefined,
    async (_, port) => {
      const socket = connect(port, HOST);
      socket.on("error", () => {});
      socket.write("POST /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\nabc");
      const closed = once(socket, "close");
      const [answer] = (await once(socket.setEncoding("utf8"), "data")) as [string];
      assert.match(answer, /^HTTP\/1\.1 404 /);
      await closed;
    },
  ),
);

test("headers beyond their bound are refused", () =>
  withHealth(
    () => undefined,
    async (base) => {
      assert.match(await probe(`${base}/livez`, { headers: { "x-large": "x".repeat(10_000) } }), /^431/);
    },
  ));

test("a port that is taken is Fatal, with what to do", async () => {
  const other = createServer().listen(0, HOST);
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const refused = serveHealth(port, { notReady: () => undefined, host: HOST });
  await assert.rejects(
    refused,
    (error) => error instanceof Fatal && error.message.includes(`${port}`) && error.message.includes("HEALTH_PORT"),
  );
  other.close();
});

test("close ends connections that are kept open, and frees the port", { timeout: 10_000 }, async () => {
  const health = await serveHealth(0, { notReady: () => undefined, host: HOST });
  const idle = connect(health.port, HOST);
  idle.on("error", () => {});
  await once(idle, "connect");
  const closed = once(idle, "close");
  await health.close();
  await closed;
  const again = await serveHealth(health.port, { notReady: () => undefined, host: HOST });
  await again.close();
});
