/** Topics, created where they are missing and checked where they are there. */
import { Fatal, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import type { KafkaClient, TopicState } from "./client.js";
import { kafkaFailure, kafkaReason } from "./failures.js";
import type { KafkaConfig } from "./keys.js";
import { topicName } from "./names.js";

/**
 * What is consumed is deleted a segment at a time, and a segment is what is written within an hour at most, or this much. The largest
 * record is a message of 256 KiB with its headers; 1 MiB leaves room for several in a batch.
 */
const SEGMENT_BYTES = 64 * 2 ** 20;
const SEGMENT_MS = 60 * 60_000;
const MAX_BATCH_BYTES = 2 ** 20;
/** With so many copies, one may be away and another lost. */
const COPIES_FOR_TWO_IN_SYNC = 3;

export type TopicSettings = Readonly<Record<string, string>>;

/** Settings that every topic of ours is to have. */
export function wantedSettings({ kafkaRetention, kafkaRetentionBytes, kafkaReplication }: KafkaConfig): TopicSettings {
  return {
    "cleanup.policy": "delete",
    "retention.ms": String(kafkaRetention),
    "retention.bytes": String(kafkaRetentionBytes),
    "segment.bytes": String(Math.min(SEGMENT_BYTES, kafkaRetentionBytes)),
    "segment.ms": String(SEGMENT_MS),
    "max.message.bytes": String(MAX_BATCH_BYTES),
    ...(kafkaReplication >= COPIES_FOR_TWO_IN_SYNC && { "min.insync.replicas": "2" }),
  };
}

/** `retention.ms is 1000 instead of 2000`, of the settings that differ. */
export function differences(wants: TopicSettings, has: ReadonlyMap<string, string>): readonly string[] {
  return Object.entries(wants)
    .filter(([setting, value]) => has.get(setting) !== value)
    .map(([setting, value]) => `${setting} is ${has.get(setting) ?? "not set"} instead of ${value}`);
}

export interface Topics {
  /**
   * The topic of a queue; created, or checked, once until `forget`.
   * @throws Retry when Kafka refuses; Fatal when it does not let us, or for a queue whose name is none. kafkajs' errors pass through.
   */
  ensure(queue: string, client: KafkaClient): Promise<string>;
  /** What was found does not hold any more. */
  forget(): void;
}

export function createTopics(config: KafkaConfig, log: Logger): Topics {
  const known = new Map<string, Promise<string>>();
  /** That have been there since this process began. */
  const seen = new Set<string>();
  return {
    ensure(queue, client) {
      const before = known.get(queue);
      if (before) return before;
      const checking = ensureTopic(queue, client, config, seen, log);
      known.set(queue, checking);
      checking.catch(() => {
        if (known.get(queue) === checking) known.delete(queue);
      });
      return checking;
    },
    forget: () => known.clear(),
  };
}

async function ensureTopic(queue: string, client: KafkaClient, config: KafkaConfig, seen: Set<string>, log: Logger): Promise<string> {
  const topic = topicName(config.kafkaPrefix, queue);
  try {
    const has = await client.topicState(topic);
    if (has) await adapt(topic, has, client, config, log);
    else {
      const { kafkaPartitions: partitions, kafkaReplication: copies } = config;
      const isNew = await client.createTopic({ topic, partitions, copies, settings: wantedSettings(config) });
      if (seen.has(topic)) {
        log.warn({ topic }, "a Kafka topic was deleted and is made anew; what it held is lost, and its gateway publishes it again");
      } else if (isNew) log.info({ topic, partitions }, "created a Kafka topic");
    }
    seen.add(topic);
    return topic;
  } catch (error) {
    throw refusalOf(error, topic, config);
  }
}

/** What differs is made as it is wanted where Kafka can; the log says what it was. */
async function adapt(topic: string, has: TopicState, client: KafkaClient, config: KafkaConfig, log: Logger): Promise<void> {
  const { kafkaPartitions, kafkaReplication } = config;
  if (has.partitions < kafkaPartitions) {
    await client.addPartitions(topic, kafkaPartitions);
    log.info({ topic, partitions: kafkaPartitions, had: has.partitions }, "added partitions to a Kafka topic");
  }
  if (kafkaReplication !== 0 && has.copies !== kafkaReplication) {
    log.warn(
      { topic, copies: has.copies, wanted: kafkaReplication },
      "a Kafka topic has another number of copies than KAFKA_REPLICATION; change it with kafka-reassign-partitions, or the setting",
    );
  }
  const wants = wantedSettings(config);
  const changes = differences(wants, has.settings);
  if (changes.length === 0) return;
  try {
    await client.setSettings(topic, { ...Object.fromEntries(has.own), ...wants });
    log.info({ topic, settings: changes.join(", ") }, "changed a Kafka topic");
  } catch (error) {
    if (kafkaFailure(error) === "passing") throw error;
    log.warn(
      { topic, settings: changes.join(", "), error: kafkaReason(error) },
      "a Kafka topic has other settings than configured, and this user may not change them; change them, or allow it to",
    );
  }
}

/** Kafka's no, with what to do about it; anything else as it came. */
function refusalOf(error: unknown, topic: string, config: KafkaConfig): unknown {
  const failure = kafkaFailure(error);
  if (failure === "permission") return notAllowed(config, topic, error);
  if (failure !== "refused") return error;
  const { kafkaReplication, kafkaPartitions } = config;
  return new Retry(
    `the Kafka topic ${topic} can not be created: Kafka says "${kafkaReason(error)}". KAFKA_REPLICATION is ${kafkaReplication}, no more than ` +
      `there are brokers; KAFKA_PARTITIONS is ${kafkaPartitions}`,
    { cause: error },
  );
}

export function notAllowed({ kafkaPrefix, kafkaSaslUsername }: KafkaConfig, what: string, cause: unknown): Fatal {
  const user = kafkaSaslUsername === "" ? "this process" : `the user ${kafkaSaslUsername}`;
  return new Fatal(
    `Kafka does not let ${user} use ${what}; allow it everything on topics and groups that begin with "${kafkaPrefix}." (docs/kafka.md)`,
    { cause },
  );
}
