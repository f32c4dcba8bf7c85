import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { freePort } from "../support/free-port.js";

const program = fileURLToPath(new URL("./a-process.js", import.meta.url));

function startProcess(does: string, port: number) {
  const child = spawn(process.execPath, [program, does, String(port)], { stdio: ["ignore", "ignore", "pipe"], timeout: 20_000 });
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return { child, said: () => err, closed: once(child, "close") as Promise<[code: number | null, signal: string | null]> };
}

const readiness = async (port: number) => {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
  return `${response.status} ${(await response.text()).trim()}`;
};

describe("a process", () => {
  it("ends with 0 on SIGTERM, whatever is still going on in it", async () => {
    const { child, closed, said } = startProcess("runs", 0);
    await eventuallyHolds(() => assert.match(said(), /"started"/));
    child.kill("SIGTERM");
    assert.deepEqual(await closed, [0, null], said());
  });

  it("ends with 1 and the reason when a part of it can not be started, whatever part already is", async () => {
    const { closed, said } = startProcess("fails to start", 0);
    assert.deepEqual(await closed, [1, null], said());
    assert.match(said(), /maskline failed: half of it has started\n$/);
  });

  it("is not ready while it starts, and ends at once at the second signal", async () => {
    const port = await freePort();
    const { child, closed, said } = startProcess("starts for ever", port);
    await eventuallyHolds(async () => assert.equal(await readiness(port), "503 starting"));
    child.kill("SIGINT");
    await eventuallyHolds(() => assert.match(said(), /"stopping"/));
    child.kill("SIGTERM");
    assert.deepEqual(await closed, [143, null], said());
  });

  it("starts nothing when its health port is taken, and says which key to set", async () => {
    const server = createServer().listen(0);
    await once(server, "listening");
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const { closed, said } = startProcess("runs", address.port);
    assert.deepEqual(await closed, [1, null], said());
    assert.match(said(), new RegExp(`^maskline failed: the health port ${address.port} can not be served; set HEALTH_PORT .*EADDRINUSE`));
    server.close();
  });
});
