/** Kafka for chaos (brokers.ts): a real broker, and what an administrator may do to it. */
import kafkajs, { type Admin } from "kafkajs";
import { findKafka, startKafka } from "../brokers/kafka.js";
import type { ChaosBroker, ChaosBrokerKind, Hop } from "./brokers.js";

/** The shortest that it may be set to. */
const SESSION_TIMEOUT_MS = 6_000;
const PARTITIONS = 8;

export function kafkaKind(): ChaosBrokerKind | { readonly skip: string } {
  const kafka = findKafka();
  if ("skip" in kafka) return kafka;
  return { takeoverMs: SESSION_TIMEOUT_MS, start: () => startKafkaBroker(kafka.jars) };
}

async function startKafkaBroker(jars: string): Promise<ChaosBroker> {
  const server = await startKafka(jars);
  async function asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new kafkajs.Kafka({ brokers: [server.address], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
  const topicOf = (queue: Hop) => `maskline.${queue}`;
  /** Of each partition: what is not committed yet, or has been deleted. */
  const waitingIn = async (admin: Admin, topic: string) => {
    const [offsets, [group]] = await Promise.all([admin.fetchTopicOffsets(topic), admin.fetchOffsets({ groupId: topic, topics: [topic] })]);
    return offsets.map(({ partition, low, high }) => {
      const committed = Number(group?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
      return { partition, count: Number(high) - Math.max(Number(low), committed) };
    });
  };
  const sum = (partitions: readonly { readonly count: number }[]) => partitions.reduce((total, { count }) => total + count, 0);
  return {
    env: {
      BUS: "kafka",
      KAFKA_BROKERS: server.address,
      KAFKA_REPLICATION: "1",
      KAFKA_PARTITIONS: `${PARTITIONS}`,
      KAFKA_SESSION_TIMEOUT: `${SESSION_TIMEOUT_MS}ms`,
    },
    kill: () => server.kill(),
    start: () => server.start(),
    waiting: (queue) => asAdmin(async (admin) => sum(await waitingIn(admin, topicOf(queue)))),
    lose: (queue) =>
      asAdmin(async (admin) => {
        const topic = topicOf(queue);
        const partitions = await waitingIn(admin, topic);
        // -1: all that is there.
        await admin.deleteTopicRecords({ topic, partitions: partitions.map(({ partition }) => ({ partition, offset: "-1" })) });
        return sum(partitions);
      }),
    deleteQueues: () =>
      asAdmin(async (admin) => {
        const topics = (await admin.listTopics()).filter((topic) => topic.startsWith("maskline."));
        await admin.deleteTopics({ topics });
      }),
    startRefusing: undefined,
    close: () => server.close(),
  };
}
