/** The NATS adapter of the bus: JetStream work queues, a stream a hop. docs/nats.md is the operator's page. */
import { backoffDelay, waitFor } from "../../backoff.js";
import { ConfigError } from "../../config.js";
import { describeError, Fatal, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import type { Bus, Consumption } from "../bus.js";
import { checkQueueName } from "../queue-name.js";
import { NatsConsumption } from "./consumption.js";
import { dial } from "./dial.js";
import { natsFailure } from "./failures.js";
import { notAllowed } from "./find-again.js";
import { type NatsConfig, type NatsIdentity, natsIdentity, refusal } from "./keys.js";
import { Link } from "./link.js";
import { firstWord } from "./names.js";
import { Publisher } from "./publisher.js";
import type { QueueSettings } from "./settings.js";
import { openStreams, type Streams } from "./streams.js";

export interface NatsBusOptions {
  readonly config: NatsConfig;
  /** Queues whose streams are created and checked before anything else; others when they are first used. */
  readonly queues: readonly string[];
  readonly log: Logger;
  /** Told why there is no connection yet, whenever the reason changes. */
  readonly onWaiting?: (reason: string) => void;
  /** Aborts waiting for the first connection. */
  readonly signal?: AbortSignal;
  /** So long a server that refuses our identity is asked again: it may be about to learn it. */
  readonly refusalPatienceMs?: number;
}

const DEFAULT_REFUSAL_PATIENCE_MS = 60_000;
const FIRST_CONNECT_PAUSES = { firstDelayMs: 500, maxDelayMs: 10_000 };

interface Connected {
  readonly link: Link;
  readonly streams: Streams;
}

/**
 * Connects, and makes or checks the streams. A broker that is away, or can not make them now, is waited for without end.
 * @throws ConfigError when keys contradict each other, or NATS has refused the identity for `refusalPatienceMs`; Fatal when a stream is
 * there with settings that can not be changed; the signal's reason when aborted.
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  const { config, log } = options;
  const settings: QueueSettings = {
    prefix: config.natsPrefix,
    replicas: config.natsReplicas,
    streamBytes: config.natsStreamBytes,
    streamAgeMs: config.natsStreamAge,
    runMessages: config.natsRunMessages,
    ackWaitMs: config.natsAckWait,
  };
  const { link, streams } = await connectPatiently(options, natsIdentity(config), settings);
  return natsBus(link, streams, settings, log);
}

async function connectPatiently(options: NatsBusOptions, identity: NatsIdentity, settings: QueueSettings): Promise<Connected> {
  const { log, onWaiting, signal = new AbortController().signal, refusalPatienceMs = DEFAULT_REFUSAL_PATIENCE_MS } = options;
  let refusedSince: number | undefined;
  let told: string | undefined;
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await connectOnce(options, identity, settings, refusalPatienceMs);
    } catch (error) {
      if (error instanceof Fatal || error instanceof ConfigError) throw error;
      const isRefused = ["identity", "permission"].includes(natsFailure(error));
      refusedSince = isRefused ? (refusedSince ?? performance.now()) : undefined;
      const reason = isRefused ? `${refusal(identity)} (${describeError(error)})` : awayReason(options.config, error);
      if (refusedSince !== undefined && performance.now() - refusedSince >= refusalPatienceMs) throw new ConfigError([reason]);
      onWaiting?.(reason);
      if (reason !== told) log.warn({ reason }, "waiting for NATS");
      told = reason;
    }
    await waitFor(100 + backoffDelay(tries, FIRST_CONNECT_PAUSES), signal);
  }
}

async function connectOnce(
  { config, queues, log }: NatsBusOptions,
  identity: NatsIdentity,
  settings: QueueSettings,
  refusalPatienceMs: number,
): Promise<Connected> {
  const nc = await dial(config);
  try {
    const streams = await openStreams(nc, settings, log);
    for (const queue of queues) await streams.stream(firstWord(queue));
    log.info({ server: nc.getServer(), version: nc.info?.version }, "connected to NATS");
    return { link: new Link(nc, identity, refusalPatienceMs, log), streams };
  } catch (error) {
    await nc.close();
    throw error;
  }
}

function awayReason({ natsServers }: NatsConfig, error: unknown): string {
  if (error instanceof Retry) return describeError(error);
  const servers = natsServers.join(", ");
  if (natsFailure(error) === "missing") return `NATS at ${servers} answers, but not its JetStream; is it switched on there (-js)?`;
  return `NATS at ${servers} (NATS_URL) can not be used: ${describeError(error)}`;
}

function natsBus(link: Link, streams: Streams, settings: QueueSettings, log: Logger): Bus {
  const publisher = new Publisher(link, streams, settings.prefix, log);
  const consumptions = new Set<NatsConsumption>();
  let closing: Promise<void> | undefined;

  link.listen({
    onDown: () => {
      streams.forget();
      publisher.interrupt(new Retry("the connection to NATS was lost; what was under way may be there or not"));
    },
    onFailed: (failure) => publisher.interrupt(failure),
    onDenied: () => undefined,
  });

  /** @throws Retry after close, and for outages; Fatal as the work does. */
  async function asked<T>(queue: string, work: () => Promise<T>): Promise<T> {
    if (closing) throw closedError();
    checkQueueName(queue);
    if (link.failure) throw link.failure;
    if (!link.up) throw new Retry("NATS is away");
    try {
      return await work();
    } catch (error) {
      if (error instanceof Fatal || error instanceof Retry) throw error;
      if (natsFailure(error) === "permission") throw notAllowed(queue, error);
      throw new Retry(`NATS did not answer for the queue ${queue}`, { cause: error });
    }
  }

  /** An outage is waited for until the bus is closed. */
  async function patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Retry) || closing) throw error;
        log.warn({ error: describeError(error) }, "a NATS queue can not be consumed yet; trying again");
      }
      await link.whenUp();
      await waitFor(100 + backoffDelay(tries, FIRST_CONNECT_PAUSES), new AbortController().signal);
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

    async consume(queue, options, deliver): Promise<Consumption> {
      const consumer = await patiently(() => asked(queue, () => streams.consumer(queue)));
      if (closing) throw closedError();
      const consumption = new NatsConsumption({ link, streams, queue, ackWaitMs: settings.ackWaitMs, options, deliver, log }, consumer);
      consumptions.add(consumption);
      return {
        stop: () => consumption.stop(),
        release: () => {
          consumptions.delete(consumption);
          return consumption.release();
        },
      };
    },

    lag: (queue) => asked(queue, async () => (await streams.look(queue)).lag),

    ready: () => !closing && link.up && Array.from(consumptions).every((consumption) => consumption.flows),

    close() {
      closing ??= close();
      return closing;
    },
  };
}

function closedError(): Retry {
  return new Retry("the NATS bus is closed");
}
