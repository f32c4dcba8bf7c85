/** The NATS adapter on a cluster of three servers that each keep a copy: one may be lost at any time. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Bus, OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { connectNatsBus } from "../../services/runtime/bus/nats/bus.js";
import { natsKeys } from "../../services/runtime/bus/nats/keys.js";
import { readConfig } from "../../services/runtime/config.js";
import { Retry } from "../../services/runtime/errors.js";
import { createLogger } from "../../services/runtime/log.js";
import { findNats, type NatsServer, startNats } from "../brokers/nats.js";
import { ackAtOnce, consume, messages } from "../conformance/bus-probe.js";
import { eventually } from "../conformance/eventually.js";
import { freePort } from "../support/free-port.js";

const nats = findNats();
const MESSAGES = 1_500;

describe("the NATS adapter with NATS_REPLICAS=3", { skip: "skip" in nats ? nats.skip : false }, () => {
  let servers: NatsServer[];
  const clients: Bus[] = [];
  before(async () => {
    if ("program" in nats) servers = await startCluster(nats.program);
  });
  after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(servers.map((server) => server.close()));
  });

  async function client(): Promise<Bus> {
    const urls = servers.map(({ address }) => `nats://${address}`).join(",");
    const env = { NATS_URL: urls, NATS_REPLICAS: "3", NATS_STREAM_BYTES: "64M", NATS_ACK_WAIT: "3s", NATS_RUN_MESSAGES: "5000" };
    const bus = await connectNatsBus({ config: readConfig(natsKeys, env), queues: ["filter"], log: createLogger("silent") });
    clients.push(bus);
    return bus;
  }

  /** Which server leads the stream, as its name says. */
  async function leader(): Promise<number> {
    const nc = await connect({ servers: servers.map(({ address }) => address) });
    try {
      const { cluster } = await (await jetstreamManager(nc, { checkAPI: false })).streams.info("maskline-filter");
      return Number(cluster?.leader?.slice(1));
    } finally {
      await nc.close();
    }
  }

  it("loses nothing when the server that leads the stream is killed while messages flow", { timeout: 120_000 }, async () => {
    const [publisher, consumer] = [await client(), await client()];
    const probe = await consume(consumer, "filter", ackAtOnce, { maxHeld: 20 });
    const outgoing = messages("filter", MESSAGES);
    const sent = new Set(outgoing.map(({ id }) => id));
    const publishing = Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let next = outgoing.shift(); next; next = outgoing.shift()) await publishThroughOutage(publisher, next);
      }),
    );
    await probe.received(200, 30_000);
    await servers[await leader()]?.kill();
    await publishing;
    await eventually("all messages", () => probe.ids().size === MESSAGES, 60_000);
    assert.deepEqual(probe.ids(), sent);
    await eventually("an empty queue", async () => (await publisher.lag("filter").catch(() => -1)) === 0, 30_000);
    assert.deepEqual(probe.fatal, []);
  });
});

async function startCluster(program: string): Promise<NatsServer[]> {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = ports.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
  return Promise.all(
    ports.map((port, index) =>
      startNats(program, `server_name: n${index}\ncluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`),
    ),
  );
}

async function publishThroughOutage(bus: Bus, outgoing: OutgoingMessage): Promise<void> {
  for (;;) {
    try {
      return await bus.publish(outgoing);
    } catch (error) {
      if (!(error instanceof Retry)) throw error;
      await sleep(50);
    }
  }
}
