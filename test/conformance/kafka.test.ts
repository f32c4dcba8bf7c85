/** The Kafka adapter against the suite of the bus port, on a real Apache Kafka. */
import { after, before, describe, test } from "node:test";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { connectKafkaBus } from "../../services/runtime/bus/kafka/bus.js";
import { kafkaKeys } from "../../services/runtime/bus/kafka/keys.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";
import { findKafka, type KafkaBroker, startKafka } from "../brokers/kafka.js";
import { busConformance } from "./bus.js";
import type { BusFixture } from "./bus-probe.js";
import { kafkaBusExceptions } from "./exceptions.js";

const log = createLogger("silent");

/** All tests share the broker: one after the other, and each with queues of its own. */
async function kafkaFixture(broker: KafkaBroker): Promise<BusFixture> {
  const env = { KAFKA_BROKERS: broker.address, KAFKA_PARTITIONS: "6", KAFKA_QUEUE_MESSAGES: "400", KAFKA_SESSION_TIMEOUT: "6s" };
  const config = readConfig(kafkaKeys, env);
  const clients: Bus[] = [];
  const connect = async () => {
    const client = await connectKafkaBus({ config, queues: [], log });
    clients.push(client);
    return client;
  };
  return {
    bus: await connect(),
    another: connect,
    restartBroker: async () => {
      await broker.kill();
      await broker.start();
    },
    dispose: async () => {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

const kafka = findKafka();
if ("skip" in kafka) test("the Kafka bus keeps the promises of its port", { skip: kafka.skip }, () => undefined);
else {
  describe("on Apache Kafka", () => {
    let broker: KafkaBroker;
    before(async () => {
      broker = await startKafka(kafka.jars);
    });
    after(() => broker.close());
    busConformance("Kafka bus", () => kafkaFixture(broker), kafkaBusExceptions);
  });
}
