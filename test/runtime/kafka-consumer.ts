/** A process for kafka-queues.test.ts: `node kafka-consumer.js <brokers> <prefix> <queue>` dies of the first message that it is given. */
import { connectKafkaBus } from "../../services/runtime/bus/kafka/bus.js";
import { kafkaKeys } from "../../services/runtime/bus/kafka/keys.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";

const [brokers = "", prefix = "", queue = ""] = process.argv.slice(2);
const env = { KAFKA_BROKERS: brokers, KAFKA_PREFIX: prefix, KAFKA_PARTITIONS: "4", KAFKA_SESSION_TIMEOUT: "3s" };
const bus = await connectKafkaBus({ config: readConfig(kafkaKeys, env), queues: [], log: createLogger("warn") });
await bus.consume(queue, { maxHeld: 1, maxHeldBytes: 1_000, onFatal: () => process.exit(1) }, ({ id, attempt }) => {
  process.stdout.write(`${attempt} ${id}\n`, () => process.kill(process.pid, "SIGKILL"));
});
