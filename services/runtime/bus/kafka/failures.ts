/** kafkajs' errors, told apart once: by name and by the protocol's error type, for it wraps them in several layers. */

/**
 * `missing`: the topic is not there. `identity`: Kafka does not take who we say we are. `permission`: it does, but does not let us do this.
 * `tooLarge`: over a size limit. `refused`: what was asked can not be, as more copies than brokers. `passing`: anything that may be over
 * soon, as a lost connection or a partition without a leader.
 */
export type KafkaFailure = "missing" | "identity" | "permission" | "tooLarge" | "refused" | "passing";

const BY_TYPE: Readonly<Record<string, KafkaFailure>> = {
  UNKNOWN_TOPIC_OR_PARTITION: "missing",
  SASL_AUTHENTICATION_FAILED: "identity",
  ILLEGAL_SASL_STATE: "identity",
  UNSUPPORTED_SASL_MECHANISM: "identity",
  TOPIC_AUTHORIZATION_FAILED: "permission",
  GROUP_AUTHORIZATION_FAILED: "permission",
  CLUSTER_AUTHORIZATION_FAILED: "permission",
  MESSAGE_TOO_LARGE: "tooLarge",
  RECORD_LIST_TOO_LARGE: "tooLarge",
  INVALID_TOPIC_EXCEPTION: "refused",
  INVALID_PARTITIONS: "refused",
  INVALID_REPLICATION_FACTOR: "refused",
  INVALID_CONFIG: "refused",
  INVALID_SESSION_TIMEOUT: "refused",
  POLICY_VIOLATION: "refused",
};

export function kafkaFailure(error: unknown): KafkaFailure {
  for (const { name, type } of layers(error)) {
    if (name === "KafkaJSSASLAuthenticationError") return "identity";
    const failure = type === undefined ? undefined : BY_TYPE[type];
    if (failure !== undefined) return failure;
  }
  return "passing";
}

/** Whether the error is, or comes of, this error of Kafka's protocol. */
export function isProtocolError(error: unknown, wanted: string): boolean {
  return [...layers(error)].some(({ type }) => type === wanted);
}

/** What it says, once: kafkajs wraps an error in others with the same words, and several in one that has none. */
export function kafkaReason(error: unknown): string {
  const said = [...layers(error)].map(({ message }) => message);
  return said.length === 0 ? String(error) : [...new Set(said)].join(": ");
}

interface Layer {
  readonly name: string;
  readonly message: string;
  readonly type: string | undefined;
}

/** The error, what it wraps, and what came together in it. */
function* layers(error: unknown): Generator<Layer> {
  for (let layer: unknown = error; layer instanceof Error; layer = layer.cause) {
    const { name, message } = layer;
    yield { name, message, type: "type" in layer && typeof layer.type === "string" ? layer.type : undefined };
    if ("errors" in layer && Array.isArray(layer.errors)) for (const part of layer.errors) yield* layers(part);
    if (layer.cause === layer) return;
  }
}
