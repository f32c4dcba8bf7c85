/** The environment keys of BUS=kafka. docs/kafka.md tells an operator what they do. */
import { bytes, type Config, ConfigError, duration, integer, type Key, type Keys, list, oneOf, text } from "../../config.js";

const GIB = 2 ** 30;

export const kafkaKeys = {
  kafkaBrokers: {
    ...list({
      env: "KAFKA_BROKERS",
      meaning: "Kafka brokers as host:port, with commas between; the others of the cluster are learned from them.",
      fallback: "127.0.0.1:9092",
    }),
    parse: parseBrokers,
  } satisfies Key<readonly string[]>,
  kafkaPrefix: {
    ...text({
      env: "KAFKA_PREFIX",
      meaning: "Begins every topic and consumer group; installations that share a Kafka each have their own.",
      fallback: "maskline",
    }),
    parse: parsePrefix,
  } satisfies Key<string>,
  kafkaSaslMechanism: oneOf(
    {
      env: "KAFKA_SASL_MECHANISM",
      meaning: "How this process logs in to Kafka: plain, scram-sha-256, scram-sha-512; none.",
      fallback: "none",
    },
    ["none", "plain", "scram-sha-256", "scram-sha-512"],
  ),
  kafkaSaslUsername: text({ env: "KAFKA_SASL_USERNAME", meaning: "User that Kafka knows, with KAFKA_SASL_PASSWORD.", fallback: "" }),
  kafkaSaslPassword: text({ env: "KAFKA_SASL_PASSWORD", meaning: "Password of KAFKA_SASL_USERNAME.", fallback: "", secret: true }),
  kafkaTls: oneOf({ env: "KAFKA_TLS", meaning: "Whether the brokers are spoken to with TLS: yes, no.", fallback: "no" }, ["yes", "no"]),
  kafkaTlsCa: text({
    env: "KAFKA_TLS_CA_FILE",
    meaning: "Certificates (PEM) that the Kafka brokers' are checked against; empty: the system's.",
    fallback: "",
  }),
  kafkaTlsCert: text({
    env: "KAFKA_TLS_CERT_FILE",
    meaning: "Certificate (PEM) to show to Kafka, with KAFKA_TLS_KEY_FILE; empty: none.",
    fallback: "",
  }),
  kafkaTlsKey: text({ env: "KAFKA_TLS_KEY_FILE", meaning: "Private key (PEM) of KAFKA_TLS_CERT_FILE.", fallback: "" }),
  kafkaPartitions: integer(
    {
      env: "KAFKA_PARTITIONS",
      meaning: "Partitions of each topic at least; no more rasterizers than this have work at the same time.",
      fallback: "16",
    },
    { min: 1, max: 1_000 },
  ),
  kafkaReplication: integer(
    {
      env: "KAFKA_REPLICATION",
      meaning: "Copies of each topic, no more than there are brokers; 0: as many as the brokers give by themselves.",
      fallback: "0",
    },
    { min: 0, max: 7 },
  ),
  kafkaRetention: duration(
    {
      env: "KAFKA_RETENTION",
      meaning: "A message that nobody took for so long is dropped: its session has ended long since.",
      fallback: "168h",
    },
    { min: "1h", max: "8760h" },
  ),
  kafkaRetentionBytes: bytes(
    {
      env: "KAFKA_RETENTION_BYTES",
      meaning: "Largest size of each partition on disk; KAFKA_QUEUE_MESSAGES keeps what waits far below it.",
      fallback: "2G",
    },
    { min: 64 * 2 ** 20, max: 16 * 1024 * GIB },
  ),
  kafkaQueueMessages: integer(
    {
      env: "KAFKA_QUEUE_MESSAGES",
      meaning: "Messages of one queue at most, the held ones included; more wait at their publisher.",
      fallback: "10000",
    },
    { min: 16, max: 10_000_000 },
  ),
  kafkaSessionTimeout: duration(
    {
      env: "KAFKA_SESSION_TIMEOUT",
      meaning: "A process that is silent for so long, because it died, loses its partitions to another one. Brokers allow 6 s to 30 min.",
      fallback: "15s",
    },
    { min: "3s", max: "30m" },
  ),
} satisfies Keys;

export type KafkaConfig = Config<typeof kafkaKeys>;

/** @throws ConfigError when keys are set that need each other. */
export function checkKafkaConfig(config: KafkaConfig): void {
  const problems: string[] = [];
  const logsIn = config.kafkaSaslMechanism !== "none";
  if (logsIn && (config.kafkaSaslUsername === "" || config.kafkaSaslPassword === "")) {
    problems.push("KAFKA_SASL_MECHANISM is set, which needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD; set both");
  }
  if (!logsIn && (config.kafkaSaslUsername !== "" || config.kafkaSaslPassword !== "")) {
    problems.push(
      "KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD is set without KAFKA_SASL_MECHANISM; set it to plain, scram-sha-256 or scram-sha-512",
    );
  }
  if ((config.kafkaTlsCert === "") !== (config.kafkaTlsKey === "")) {
    problems.push("KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE belong together; set both or none");
  }
  if (config.kafkaTls === "no" && (config.kafkaTlsCa !== "" || config.kafkaTlsCert !== "")) {
    problems.push("KAFKA_TLS_CA_FILE or KAFKA_TLS_CERT_FILE is set, but KAFKA_TLS is no; set it to yes, or unset them");
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

/** What an operator is told when Kafka does not take who we say we are. */
export function refusal({ kafkaSaslMechanism }: KafkaConfig): string {
  const keys = "KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD";
  const how = kafkaSaslMechanism === "none" ? `set ${keys}` : `correct ${keys}, or the users of the cluster`;
  return `Kafka refuses this process; ${how}`;
}

function parseBrokers(value: string): readonly string[] {
  const brokers = value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const isBroker = (entry: string) => /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$/.test(entry);
  if (brokers.length === 0 || !brokers.every(isBroker)) throw new Error("allowed: host:port, with commas between, without a scheme");
  return brokers;
}

function parsePrefix(value: string): string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(value)) throw new Error("allowed: 1 to 32 of the characters A-Z a-z 0-9 _ and -");
  return value;
}
