/** The NATS adapter against the suite of the bus port, on a real nats-server. */
import { test } from "node:test";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { connectNatsBus } from "../../services/runtime/bus/nats/bus.js";
import { natsKeys } from "../../services/runtime/bus/nats/keys.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";
import { findNats, startNats } from "../brokers/nats.js";
import { busConformance } from "./bus.js";
import type { BusFixture } from "./bus-probe.js";
import { natsBusExceptions } from "./exceptions.js";

/** Every test has a server of its own. */
const AT_ONCE = 4;

const log = createLogger("silent");

async function natsFixture(program: string): Promise<BusFixture> {
  const server = await startNats(program);
  const env = { NATS_URL: `nats://${server.address}`, NATS_RUN_MESSAGES: "400", NATS_STREAM_BYTES: "64M", NATS_ACK_WAIT: "3s" };
  const config = readConfig(natsKeys, env);
  const clients: Bus[] = [];
  const connect = async () => {
    const client = await connectNatsBus({ config, queues: [], log });
    clients.push(client);
    return client;
  };
  return {
    bus: await connect(),
    another: connect,
    restartBroker: async () => {
      await server.kill();
      await server.start();
    },
    dispose: async () => {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
    },
  };
}

const nats = findNats();
if ("skip" in nats) test("the NATS bus keeps the promises of its port", { skip: nats.skip }, () => undefined);
else busConformance("NATS bus", () => natsFixture(nats.program), natsBusExceptions, AT_ONCE);
