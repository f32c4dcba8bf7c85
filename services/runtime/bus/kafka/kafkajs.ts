/**
 * The only import of kafkajs: connections for publishing and asking, and members of consumer groups. Nobody maintains kafkajs, so 2.2.4 is
 * pinned, and what has to be known of its inside is known here, and in kafkajs-produce.ts.
 */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import kafkajs, { type KafkaConfig as KafkajsConfig, type PartitionAssigner, type SASLOptions } from "kafkajs";
import { Retry } from "../../errors.js";
import { inTime } from "../../in-time.js";
import type { Logger } from "../../log.js";
import type { KafkaClient } from "./client.js";
import { isProtocolError } from "./failures.js";
import { dropKnownWarning, tellDetail } from "./kafkajs-noise.js";
import { encodeProduceFast } from "./kafkajs-produce.js";
import type { KafkaConfig } from "./keys.js";
import type { Member, MemberOptions } from "./member.js";

const CONNECT_MS = 3_000;
const REQUEST_MS = 10_000;
const CLOSE_MS = 3_000;
const JOIN_MS = 2_000;
/** Of kafkajs' own: whoever uses it tries again for as long as it makes sense, with a new connection when need be. */
const FEW_RETRIES = { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 };
/**
 * When some brokers have answered a send and others not, kafkajs' retry takes a partition that has moved to one that has answered for
 * sent, and its records are lost. So a send is tried once, and whoever sends repeats all of it.
 */
const NO_RETRIES = { retries: 0 };

/** A member waits so long at the broker for messages: stopping takes as long at most, and so does hearing of a new member. */
const FETCH_WAIT_MS = 250;
const HEARTBEAT_MS = 500;
/** More often where a session may not last long. */
const HEARTBEATS_A_SESSION = 8;
/** Fetched at once, of all partitions and of one. */
const FETCH_BYTES = 4 * 2 ** 20;
const PARTITION_FETCH_BYTES = 2 ** 20;
const REBALANCE_MS = 60_000;

/** Connects. */
export async function connectClient(config: KafkaConfig, log: Logger): Promise<KafkaClient> {
  const kafka = newKafka(config, log);
  const producer = kafka.producer({ createPartitioner: inTurns, allowAutoTopicCreation: false, retry: NO_RETRIES });
  const admin = kafka.admin();
  const close = async () => {
    await inTime(Promise.allSettled([producer.disconnect(), admin.disconnect()]), CLOSE_MS);
  };
  try {
    await Promise.all([producer.connect(), admin.connect()]);
  } catch (error) {
    await close();
    throw error;
  }
  const { TOPIC } = kafkajs.ConfigResourceTypes;
  return {
    async send(topic, records) {
      await producer.send({ topic, acks: -1, timeout: REQUEST_MS, messages: [...records] });
    },
    async ping() {
      await admin.describeCluster();
    },
    async topicState(topic) {
      const partitions = await admin.fetchTopicMetadata({ topics: [topic] }).then(
        ({ topics }) => topics[0]?.partitions ?? [],
        (error: unknown) => {
          if (isProtocolError(error, "UNKNOWN_TOPIC_OR_PARTITION")) return undefined;
          throw error;
        },
      );
      if (!partitions) return undefined;
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name: topic }] });
      const entries = resources.flatMap(({ configEntries }) => configEntries);
      const named = (some: typeof entries) => new Map(some.map(({ configName, configValue }) => [configName, configValue]));
      return {
        partitions: partitions.length,
        copies: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        settings: named(entries),
        own: named(entries.filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG)),
      };
    },
    createTopic({ topic, partitions, copies, settings }) {
      const replicationFactor = copies === 0 ? -1 : copies;
      return admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries: entriesOf(settings) }] });
    },
    async addPartitions(topic, count) {
      await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    },
    async setSettings(topic, settings) {
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries: entriesOf(settings) }] });
    },
    async positions(topic, group) {
      const [offsets, committed] = await Promise.all([
        admin.fetchTopicOffsets(topic),
        admin.fetchOffsets({ groupId: group, topics: [topic] }),
      ]);
      const kept = new Map(committed.flatMap(({ partitions }) => partitions.map((one) => [one.partition, one] as const)));
      return offsets.map(({ partition, low, high }) => {
        const { offset = "-1", metadata = null } = kept.get(partition) ?? {};
        return {
          partition,
          low: Number(low),
          high: Number(high),
          committed: Number(offset) < 0 ? undefined : Number(offset),
          note: metadata,
        };
      });
    },
    async deleteBelow(topic, offsets) {
      await admin.deleteTopicRecords({
        topic,
        partitions: offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
      });
    },
    close,
  };
}

/** A member of the group that has not joined yet. */
export function newMember(config: KafkaConfig, options: MemberOptions, log: Logger): Member {
  const { topic, group, ghost, beforeJoin, onJoined, onBatch, onCrash } = options;
  const beforeEachJoin = async () => {
    // kafkajs goes on joining when it is told to stop.
    if (isStopped) throw new Error(`the member has left the group ${group}`);
    await beforeJoin();
  };
  const heartbeatMs = Math.min(HEARTBEAT_MS, config.kafkaSessionTimeout / HEARTBEATS_A_SESSION);
  // Of its own: kafkajs shares what it knows of committed offsets between all that one Kafka has made.
  const consumer = newKafka(config, log).consumer({
    groupId: group,
    partitionAssigners: [asking(beforeEachJoin, ghost)],
    allowAutoTopicCreation: false,
    sessionTimeout: config.kafkaSessionTimeout,
    rebalanceTimeout: REBALANCE_MS,
    heartbeatInterval: heartbeatMs,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytes: FETCH_BYTES,
    maxBytesPerPartition: PARTITION_FETCH_BYTES,
    retry: { ...FEW_RETRIES, restartOnFailure: async () => false },
  });
  let commits = 0;
  let crashed = false;
  let isStopped = false;
  let joining: Promise<void> | undefined;
  const crash = (error: unknown) => {
    if (crashed) return;
    crashed = true;
    onCrash(error);
  };
  consumer.on("consumer.commit_offsets", () => {
    commits += 1;
  });
  consumer.on("consumer.group_join", ({ payload }) => {
    if (!crashed) onJoined(payload.memberId, payload.memberAssignment[topic] ?? []);
  });
  consumer.on("consumer.crash", ({ payload }) => crash(payload.error));

  return {
    async start() {
      joining = join();
      await joining;
    },
    seek: (partition, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
    async commit(partitions) {
      const before = commits;
      const offsets = partitions.map(({ partition, offset, note }) => ({ topic, partition, offset: String(offset), metadata: note }));
      await consumer.commitOffsets(offsets);
      // A member that is not running says yes to everything.
      if (commits === before) throw new Retry(`the group ${group} did not take a commit`);
    },
    async stop() {
      crashed = true;
      // One that leaves before it has joined would be waited for by the others.
      if (joining) await inTime(joining, JOIN_MS);
      isStopped = true;
      await inTime(consumer.disconnect(), CLOSE_MS);
    },
  };

  async function join(): Promise<void> {
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 64,
        eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning }) => {
          const pause = async (until: Promise<void>) => {
            await inTime(until, heartbeatMs);
            // Whatever `until` is, the event loop goes on.
            await nextTurn();
            await heartbeat();
          };
          await onBatch({ partition: batch.partition, messages: batch.messages, high: Number(batch.highWatermark), isRunning, pause });
          resolveOffset(batch.lastOffset());
        },
      });
    } catch (error) {
      crash(error);
    }
  }
}

/** One client of kafkajs; nothing is connected yet. */
function newKafka(config: KafkaConfig, log: Logger) {
  dropKnownWarning();
  encodeProduceFast();
  const sasl = login(config);
  const options: KafkajsConfig = {
    brokers: [...config.kafkaBrokers],
    clientId: config.kafkaPrefix,
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
    retry: FEW_RETRIES,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => tellDetail(log, entry),
    ...(config.kafkaTls === "yes" && { ssl: tlsOptions(config) }),
    ...(sasl && { sasl }),
  };
  return new kafkajs.Kafka(options);
}

function login({ kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password }: KafkaConfig) {
  const user = { username, password };
  const options: Readonly<Record<typeof mechanism, SASLOptions | undefined>> = {
    none: undefined,
    plain: { mechanism: "plain", ...user },
    "scram-sha-256": { mechanism: "scram-sha-256", ...user },
    "scram-sha-512": { mechanism: "scram-sha-512", ...user },
  };
  return options[mechanism];
}

/** @throws Retry when a file can not be read */
function tlsOptions({ kafkaTlsCa, kafkaTlsCert, kafkaTlsKey }: KafkaConfig): ConnectionOptions {
  const file = (env: string, path: string) => {
    try {
      return path === "" ? undefined : readFileSync(path);
    } catch (cause) {
      throw new Retry(`the file of ${env} can not be read`, { cause });
    }
  };
  return {
    ca: file("KAFKA_TLS_CA_FILE", kafkaTlsCa),
    cert: file("KAFKA_TLS_CERT_FILE", kafkaTlsCert),
    key: file("KAFKA_TLS_KEY_FILE", kafkaTlsKey),
  };
}

function entriesOf(settings: Readonly<Record<string, string>>) {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
}

/** Spreads the messages of every run over all partitions that can be written to: all consumers have work, whoever's it is. */
function inTurns() {
  let turn = Math.floor(Math.random() * 1_000);
  return ({ partitionMetadata }: { readonly partitionMetadata: { readonly partitionId: number; readonly leader: number }[] }): number => {
    const led = partitionMetadata.filter(({ leader }) => leader >= 0);
    const choice = led.length > 0 ? led : partitionMetadata;
    turn += 1;
    return choice[turn % choice.length]?.partitionId ?? 0;
  };
}

/**
 * Gives out partitions in turns, as kafkajs does. Made for what else an assigner is given: the cluster, in which kafkajs looks for the
 * group's coordinator at each join, and at no other time. There is no other way to do something before a rebalance, and wait for it.
 */
function asking(beforeJoin: () => Promise<void>, ghost: string | undefined): PartitionAssigner {
  return (given) => {
    const { cluster, groupId } = given;
    const find = cluster.findGroupCoordinator.bind(cluster);
    let left = ghost === undefined;
    cluster.findGroupCoordinator = async (group) => {
      await beforeJoin();
      const coordinator = await find(group);
      // Not in kafkajs' types, but what its consumers leave with.
      if (!left && "leaveGroup" in coordinator && typeof coordinator.leaveGroup === "function") {
        await coordinator.leaveGroup({ groupId, memberId: ghost }).catch((error: unknown) => {
          if (!isProtocolError(error, "UNKNOWN_MEMBER_ID")) throw error;
        });
      }
      left = true;
      return coordinator;
    };
    return kafkajs.PartitionAssigners.roundRobin(given);
  };
}
