/** What tests of the Kafka adapter share: clients of a broker, closed after each test, and Kafka's own view of topics and offsets. */
import { randomUUID } from "node:crypto";
import { type Admin, Kafka, logLevel } from "kafkajs";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { connectKafkaBus, type KafkaBusOptions } from "../../services/runtime/bus/kafka/bus.js";
import { kafkaKeys } from "../../services/runtime/bus/kafka/keys.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";
import type { KafkaBroker } from "../brokers/kafka.js";

export interface KafkaStage {
  /** Of this test's topics and groups. */
  readonly prefix: string;
  /** Lines that the adapters logged. */
  readonly lines: string[];
  /** A client, as another process would have it. */
  client(env?: Readonly<Record<string, string>>, options?: Partial<KafkaBusOptions>): Promise<Bus>;
  /** The broker's side, without the adapter. */
  admin(): Promise<Admin>;
  /** Connects in vain: why it waits. */
  reasonToWait(env: Readonly<Record<string, string>>): Promise<string>;
}

/** Runs a test with topics of its own; closes everything afterwards. */
export async function onKafka(broker: KafkaBroker, run: (stage: KafkaStage) => Promise<void>): Promise<void> {
  const closing: (() => Promise<unknown>)[] = [];
  const lines: string[] = [];
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const log = createLogger("debug", (line) => lines.push(line));
  const small = { KAFKA_BROKERS: broker.address, KAFKA_PREFIX: prefix, KAFKA_PARTITIONS: "4", KAFKA_SESSION_TIMEOUT: "6s" };

  async function client(env: Readonly<Record<string, string>> = {}, options: Partial<KafkaBusOptions> = {}): Promise<Bus> {
    const bus = await connectKafkaBus({ config: readConfig(kafkaKeys, { ...small, ...env }), queues: ["filter"], log, ...options });
    closing.push(() => bus.close());
    return bus;
  }

  try {
    await run({
      prefix,
      lines,
      client,
      async admin() {
        const admin = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }).admin();
        await admin.connect();
        closing.push(() => admin.disconnect());
        return admin;
      },
      async reasonToWait(env) {
        const abort = new AbortController();
        const enough = new Error("enough");
        const reason = await new Promise<string>((resolve, reject) => {
          const connecting = client(env, { signal: abort.signal, onWaiting: resolve });
          connecting.then(() => reject(new Error("it connected")), reject);
        }).finally(() => abort.abort(enough));
        return reason;
      },
    });
  } finally {
    await Promise.all(closing.map((close) => close().catch(() => undefined)));
  }
}
