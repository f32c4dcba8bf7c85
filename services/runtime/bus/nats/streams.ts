/** Streams and consumers, created where they are missing and checked where they are there. */
import { type ConsumerInfo, type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { describeError, Fatal, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import { isNameInUse, isRefusal, natsFailure } from "./failures.js";
import { firstWord } from "./names.js";
import {
  consumerDifferences,
  type Differences,
  inWords,
  type QueueSettings,
  streamDifferences,
  wantedConsumer,
  wantedStream,
} from "./settings.js";

/** What a queue's consumer is in NATS. */
export interface QueueConsumer {
  readonly stream: string;
  readonly durable: string;
  /** Changes when it was deleted and created again: its sequence numbers begin anew then. */
  readonly identity: string;
  /** Messages that are not settled. */
  readonly lag: number;
}

export interface Streams {
  /** The stream whose subjects begin with this word of a queue. Asked once, until `forget`. */
  stream(word: string): Promise<void>;
  /** The consumer of a queue, and its stream, checked anew. */
  consumer(queue: string): Promise<QueueConsumer>;
  /** The consumer as it is now; created when it is missing. */
  look(queue: string): Promise<QueueConsumer>;
  /** What was found does not hold any more. */
  forget(): void;
}

/**
 * Every call throws Fatal when something is there that can not be made right: it names the stream or consumer, the setting, what it has,
 * what is wanted and what to do; Retry when NATS refuses to create or change something. NATS' other errors pass through.
 */
export async function openStreams(nc: NatsConnection, settings: QueueSettings, log: Logger): Promise<Streams> {
  const manager = await jetstreamManager(nc, { checkAPI: false });
  const known = new Map<string, Promise<void>>();

  function stream(word: string): Promise<void> {
    const before = known.get(word);
    if (before) return before;
    const checking = ensureStream(manager, settings, word, log);
    known.set(word, checking);
    checking.catch(() => {
      if (known.get(word) === checking) known.delete(word);
    });
    return checking;
  }

  async function consumer(queue: string): Promise<QueueConsumer> {
    await stream(firstWord(queue));
    return described(await ensureConsumer(manager, settings, queue, log));
  }

  return {
    stream,
    consumer,
    async look(queue) {
      const { stream, durable } = namesOf(settings, queue);
      try {
        return described(await manager.consumers.info(stream, durable));
      } catch (error) {
        if (natsFailure(error) !== "missing") throw error;
        known.delete(firstWord(queue));
        return consumer(queue);
      }
    },
    forget: () => known.clear(),
  };
}

function namesOf(settings: QueueSettings, queue: string): { readonly stream: string; readonly durable: string } {
  return { stream: wantedStream(settings, firstWord(queue)).name, durable: wantedConsumer(settings, queue).durable_name };
}

function described({ stream_name, name, created, num_pending, num_ack_pending }: ConsumerInfo): QueueConsumer {
  return { stream: stream_name, durable: name, identity: created, lag: num_pending + num_ack_pending };
}

async function ensureStream(manager: JetStreamManager, settings: QueueSettings, word: string, log: Logger): Promise<void> {
  const wants = wantedStream(settings, word);
  const what = `the NATS stream ${wants.name}`;
  const has = await found(() => manager.streams.info(wants.name));
  if (has === undefined) {
    try {
      await manager.streams.add(wants);
      log.info({ stream: wants.name }, "created a NATS stream");
      return;
    } catch (error) {
      if (!isNameInUse(error)) throw refusalOf(error, `${what} can not be created`, settings);
    }
  }
  const info: StreamInfo = has ?? (await manager.streams.info(wants.name));
  const { apply, later, refuse } = streamDifferences(wants, info.config, info.state.messages);
  refuseAny(refuse, what);
  if (later.length > 0) {
    log.warn(
      { stream: wants.name, settings: inWords(later), messages: info.state.messages },
      "a limit of a NATS stream stays higher than configured, for NATS would delete messages; it is lowered when a process starts while the stream is empty",
    );
  }
  if (apply.length === 0) return;
  const kept = Object.fromEntries(later.map(({ setting, has }) => [setting, has]));
  await manager.streams.update(wants.name, { ...info.config, ...wants, ...kept }).catch((error: unknown) => {
    throw refusalOf(error, `${what} can not be changed (${inWords(apply)})`, settings);
  });
  log.info({ stream: wants.name, settings: inWords(apply) }, "changed a NATS stream");
}

async function ensureConsumer(manager: JetStreamManager, settings: QueueSettings, queue: string, log: Logger): Promise<ConsumerInfo> {
  const wants = wantedConsumer(settings, queue);
  const { stream, durable } = namesOf(settings, queue);
  const what = `the NATS consumer ${durable} of stream ${stream}`;
  const has = await found(() => manager.consumers.info(stream, durable));
  if (has === undefined) {
    const created = await manager.consumers.add(stream, wants).catch((error: unknown) => {
      throw refusalOf(error, `${what} can not be created`, settings);
    });
    log.info({ stream, consumer: durable }, "created a NATS consumer");
    return created;
  }
  const { apply, refuse } = consumerDifferences(wants, has.config);
  refuseAny(refuse, what);
  if (apply.length === 0) return has;
  await manager.consumers.update(stream, durable, wants).catch((error: unknown) => {
    throw refusalOf(error, `${what} can not be changed (${inWords(apply)})`, settings);
  });
  log.info({ stream, consumer: durable, settings: inWords(apply) }, "changed a NATS consumer");
  return has;
}

async function found<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (natsFailure(error) === "missing" && isRefusal(error)) return undefined;
    throw error;
  }
}

function refuseAny(refuse: Differences["refuse"], what: string): void {
  if (refuse.length === 0) return;
  throw new Fatal(
    `${what} is there with settings that can not be changed: ${inWords(refuse)}. ` +
      "Delete it while no session runs, so that it is created anew, or choose another NATS_PREFIX",
  );
}

/** JetStream's no, with what to do about it; anything else as it came. It may be over as soon as somebody helps the broker. */
function refusalOf(error: unknown, what: string, settings: QueueSettings): unknown {
  if (!isRefusal(error) && natsFailure(error) !== "full") return error;
  return new Retry(`${what}: NATS says "${describeError(error)}". ${adviceFor(describeError(error), settings)}`, { cause: error });
}

function adviceFor(text: string, { replicas, streamBytes, prefix }: QueueSettings): string {
  if (/replicas|peers/i.test(text)) return `NATS_REPLICAS is ${replicas}: it needs a cluster of at least so many servers with JetStream`;
  if (/insufficient|storage|resources/i.test(text)) {
    return `NATS_STREAM_BYTES is ${streamBytes}: lower it, or give JetStream more room (three streams are set aside, times NATS_REPLICAS)`;
  }
  return `NATS_PREFIX is ${prefix}: another one keeps apart from what is there`;
}
