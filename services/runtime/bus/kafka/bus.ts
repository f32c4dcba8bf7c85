/** The Kafka adapter of the bus: a topic and a consumer group a queue. docs/kafka.md is the operator's page. */
import { backoffDelay, waitFor } from "../../backoff.js";
import { ConfigError } from "../../config.js";
import { describeError, Fatal, Retry } from "../../errors.js";
import { inTime } from "../../in-time.js";
import type { Logger } from "../../log.js";
import type { Bus, Consumption } from "../bus.js";
import { KafkaConsumption } from "./consumption.js";
import { kafkaFailure, kafkaReason } from "./failures.js";
import { connectClient } from "./kafkajs.js";
import { checkKafkaConfig, type KafkaConfig, refusal } from "./keys.js";
import { Link } from "./link.js";
import { groupOf, topicName } from "./names.js";
import { unsettled } from "./partitions.js";
import { Publisher } from "./publisher.js";
import { createTopics, notAllowed, type Topics } from "./topics.js";

export interface KafkaBusOptions {
  readonly config: KafkaConfig;
  /** Queues whose topics are created and checked before anything else; others when they are first used. */
  readonly queues: readonly string[];
  readonly log: Logger;
  /** Told why there is no connection yet, whenever the reason changes. */
  readonly onWaiting?: (reason: string) => void;
  /** Aborts waiting for the first connection. */
  readonly signal?: AbortSignal;
  /** So long brokers that refuse our identity are asked again: they may be about to learn it. */
  readonly refusalPatienceMs?: number;
  /** Records that have been consumed are deleted so often. */
  readonly deleteEveryMs?: number;
}

const DEFAULT_REFUSAL_PATIENCE_MS = 60_000;
const DEFAULT_DELETE_EVERY_MS = 60_000;
const FIRST_CONNECT_PAUSES = { firstDelayMs: 500, maxDelayMs: 10_000 };
/** A group whose last member died waits for it; whoever consumes need not. */
const JOIN_MS = 5_000;
/** A topic that was just created is not known to all brokers yet, nor is the place of a new group. */
const LAG_TRIES = 5;
const PAUSE_BETWEEN_TRIES_MS = 50;

/**
 * Connects, and makes or checks the topics. Brokers that are away, or can not make them now, are waited for without end.
 * @throws ConfigError when keys contradict each other, or Kafka has refused the identity, or the topics, for `refusalPatienceMs`; the
 * signal's reason when aborted.
 */
export async function connectKafkaBus(options: KafkaBusOptions): Promise<Bus> {
  const { config, log, refusalPatienceMs: patienceMs = DEFAULT_REFUSAL_PATIENCE_MS } = options;
  checkKafkaConfig(config);
  const topics = createTopics(config, log);
  const client = await connectPatiently(options, topics);
  const link = new Link(client, { connect: () => connectClient(config, log), refusal: refusal(config), patienceMs, log });
  return kafkaBus(link, topics, options);
}

async function connectPatiently(options: KafkaBusOptions, topics: Topics) {
  const { config, log, onWaiting, signal = new AbortController().signal, refusalPatienceMs = DEFAULT_REFUSAL_PATIENCE_MS } = options;
  let refusedSince: number | undefined;
  let told: string | undefined;
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await connectOnce(options, topics);
    } catch (error) {
      const failure = kafkaFailure(error);
      const isRefused = failure === "identity" || failure === "permission";
      if (!isRefused && (error instanceof Fatal || error instanceof ConfigError)) throw error;
      refusedSince = isRefused ? (refusedSince ?? performance.now()) : undefined;
      const reason = failure === "identity" ? `${refusal(config)} (${kafkaReason(error)})` : awayReason(config, error);
      if (refusedSince !== undefined && performance.now() - refusedSince >= refusalPatienceMs) throw new ConfigError([reason]);
      onWaiting?.(reason);
      if (reason !== told) log.warn({ reason }, "waiting for Kafka");
      told = reason;
    }
    await waitFor(100 + backoffDelay(tries, FIRST_CONNECT_PAUSES), signal);
  }
}

async function connectOnce({ config, queues, log }: KafkaBusOptions, topics: Topics) {
  const client = await connectClient(config, log);
  try {
    for (const queue of queues) await topics.ensure(queue, client);
    log.info({ brokers: config.kafkaBrokers }, "connected to Kafka");
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

function awayReason({ kafkaBrokers }: KafkaConfig, error: unknown): string {
  if (error instanceof Retry || error instanceof Fatal) return describeError(error);
  return `Kafka at ${kafkaBrokers.join(", ")} (KAFKA_BROKERS) can not be used: ${kafkaReason(error)}`;
}

function kafkaBus(link: Link, topics: Topics, options: KafkaBusOptions): Bus {
  const { config, log, deleteEveryMs = DEFAULT_DELETE_EVERY_MS } = options;
  const publisher = new Publisher(link, topics, config, lag, log);
  const consumptions = new Set<KafkaConsumption>();
  let closing: Promise<void> | undefined;

  link.onFailed((failure) => {
    publisher.interrupt(failure);
    for (const consumption of consumptions) consumption.fail(failure);
  });

  /** @throws Retry after close, and for outages; Fatal when Kafka does not let us. */
  async function lag(queue: string): Promise<number> {
    if (closing) throw closedError();
    topicName(config.kafkaPrefix, queue);
    for (let tries = 1; ; tries += 1) {
      const { client } = link;
      try {
        const topic = await topics.ensure(queue, client);
        const positions = await client.positions(topic, groupOf(topic));
        return positions.reduce((sum, position) => sum + unsettled(position), 0);
      } catch (error) {
        if (error instanceof Fatal || error instanceof Retry) throw error;
        const failure = kafkaFailure(error);
        if (failure === "permission") throw notAllowed(config, `the queue ${queue}`, error);
        if (failure === "missing") {
          topics.forget();
          link.renew();
        } else link.suspect();
        if (tries >= LAG_TRIES) throw new Retry(`Kafka did not answer for the queue ${queue}`, { cause: error });
        log.debug({ queue, tries, error: kafkaReason(error) }, "the lag of a Kafka queue can not be read; trying again");
        await waitFor(PAUSE_BETWEEN_TRIES_MS * tries, new AbortController().signal);
      }
    }
  }

  async function close(): Promise<void> {
    publisher.interrupt(closedError());
    await Promise.all(Array.from(consumptions, (consumption) => consumption.release()));
    await link.close();
  }

  return {
    async publish(message, signal) {
      signal?.throwIfAborted();
      if (closing) throw closedError();
      await publisher.publish(message, signal);
    },

    async consume(queue, wants, deliver): Promise<Consumption> {
      if (closing) throw closedError();
      topicName(config.kafkaPrefix, queue);
      const consumption = new KafkaConsumption({ config, link, topics, queue, options: wants, deliver, deleteEveryMs, log });
      consumptions.add(consumption);
      await inTime(consumption.joined, JOIN_MS);
      return {
        stop: () => consumption.stop(),
        release: async () => {
          await consumption.release();
          consumptions.delete(consumption);
        },
      };
    },

    lag,

    ready: () => !closing && link.up && Array.from(consumptions).every(({ flows }) => flows),

    close() {
      closing ??= close();
      return closing;
    },
  };
}

function closedError(): Retry {
  return new Retry("the Kafka bus is closed");
}
