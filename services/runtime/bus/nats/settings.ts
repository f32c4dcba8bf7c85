/** What streams and consumers are to look like, and what of it may be changed on one that is there. */
import { AckPolicy, type ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { durableName, queueSubjects, streamName, streamSubjects } from "./names.js";

export interface QueueSettings {
  readonly prefix: string;
  readonly replicas: number;
  readonly streamBytes: number;
  readonly streamAgeMs: number;
  /** Messages of one key in one queue. */
  readonly runMessages: number;
  readonly ackWaitMs: number;
}

const NANOS_PER_MS = 1_000_000;
/** Ids are remembered for so long: long enough for a publisher's retries, and 4 times cheaper than the default. */
const DUPLICATE_WINDOW_MS = 30_000;
/** All consumers' held messages, and those that wait for their retry. */
const MAX_ACK_PENDING = 50_000;

/** A work queue for each hop: an acknowledged message is gone. */
export function wantedStream(settings: QueueSettings, word: string) {
  return {
    name: streamName(settings.prefix, word),
    subjects: [streamSubjects(settings.prefix, word)],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: settings.runMessages,
    max_bytes: settings.streamBytes,
    max_age: settings.streamAgeMs * NANOS_PER_MS,
    duplicate_window: DUPLICATE_WINDOW_MS * NANOS_PER_MS,
    num_replicas: settings.replicas,
  } satisfies Partial<StreamConfig>;
}

/** Delivers without limit: what fails is the asset's, not the broker's, to count (docs/delivery.md rules 13 and 15). */
export function wantedConsumer(settings: QueueSettings, queue: string) {
  return {
    durable_name: durableName(queue),
    filter_subject: queueSubjects(settings.prefix, queue),
    ack_policy: AckPolicy.Explicit,
    ack_wait: settings.ackWaitMs * NANOS_PER_MS,
    max_deliver: -1,
    max_ack_pending: MAX_ACK_PENDING,
  } satisfies Partial<ConsumerConfig>;
}

/**
 * What may be done about a setting that differs. `lowering`: NATS would delete messages that no longer fit, so it is only lowered while
 * there are none.
 */
type Change = "safe" | "lowering" | "never";

const STREAM_CHANGES: Readonly<Record<keyof ReturnType<typeof wantedStream>, Change>> = {
  name: "never",
  subjects: "never",
  retention: "never",
  storage: "never",
  discard: "safe",
  discard_new_per_subject: "safe",
  max_msgs_per_subject: "lowering",
  max_bytes: "lowering",
  max_age: "lowering",
  duplicate_window: "safe",
  num_replicas: "safe",
};

const CONSUMER_CHANGES: Readonly<Record<keyof ReturnType<typeof wantedConsumer>, Change>> = {
  durable_name: "never",
  filter_subject: "never",
  ack_policy: "never",
  ack_wait: "safe",
  max_deliver: "safe",
  max_ack_pending: "safe",
};

export interface Difference {
  readonly setting: string;
  readonly has: unknown;
  readonly wants: unknown;
}

/** The settings that differ, by what is to be done about them. */
export interface Differences {
  readonly apply: readonly Difference[];
  /** Can not be changed while messages are there. */
  readonly later: readonly Difference[];
  readonly refuse: readonly Difference[];
}

export function streamDifferences(wants: ReturnType<typeof wantedStream>, has: Partial<StreamConfig>, messages: number): Differences {
  return differences(wants, has, STREAM_CHANGES, messages);
}

export function consumerDifferences(wants: ReturnType<typeof wantedConsumer>, has: Partial<ConsumerConfig>): Differences {
  return differences(wants, has, CONSUMER_CHANGES, 0);
}

function differences<W extends object>(wants: W, has: object, changes: Readonly<Record<string, Change>>, messages: number): Differences {
  const apply: Difference[] = [];
  const later: Difference[] = [];
  const refuse: Difference[] = [];
  const actual = new Map<string, unknown>(Object.entries(has));
  for (const [setting, wanted] of Object.entries(wants)) {
    const difference = { setting, has: actual.get(setting), wants: wanted as unknown };
    if (JSON.stringify(difference.has) === JSON.stringify(difference.wants)) continue;
    const change = changes[setting] ?? "never";
    if (change === "never") refuse.push(difference);
    else if (change === "lowering" && messages > 0 && isLower(difference)) later.push(difference);
    else apply.push(difference);
  }
  return { apply, later, refuse };
}

/** Less than there is now; a limit of 0 or below is none. */
function isLower({ has, wants }: Difference): boolean {
  const limit = (value: unknown) => (typeof value === "number" && value > 0 ? value : Number.POSITIVE_INFINITY);
  return limit(wants) < limit(has);
}

/** `max_bytes is 1000 instead of 2000`, several with commas. */
export function inWords(differences: readonly Difference[]): string {
  return differences
    .map(({ setting, has, wants }) => `${setting} is ${JSON.stringify(has)} instead of ${JSON.stringify(wants)}`)
    .join(", ");
}
