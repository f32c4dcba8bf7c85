/** Belonging to a queue's consumer group: with one member after the other, for kafkajs' members do not outlive every outage. */
import { backoffDelay, waitFor } from "../../backoff.js";
import { Fatal } from "../../errors.js";
import type { Logger } from "../../log.js";
import { unlessAborted } from "../unless-aborted.js";
import { kafkaFailure, kafkaReason } from "./failures.js";
import { newMember } from "./kafkajs.js";
import type { KafkaConfig } from "./keys.js";
import type { Link } from "./link.js";
import type { Batch, Member } from "./member.js";
import { groupOf } from "./names.js";
import { notAllowed, type Topics } from "./topics.js";

const PAUSES = { firstDelayMs: 100, maxDelayMs: 2_000 };

export interface MembershipOptions {
  readonly config: KafkaConfig;
  readonly link: Link;
  readonly topics: Topics;
  readonly queue: string;
  readonly log: Logger;
  /** Partitions may go to others as soon as it resolves. */
  readonly beforeJoin: () => Promise<void>;
  readonly onJoined: (member: Member, partitions: readonly number[]) => void;
  readonly onBatch: (batch: Batch) => Promise<void>;
  /** No member any more, until `onJoined`. */
  readonly onOut: () => void;
  readonly onFatal: (error: Fatal) => void;
}

export class Membership {
  readonly #leaving = new AbortController();
  readonly #belonging: Promise<void>;
  #member: Member | undefined;
  #memberId: string | undefined;

  constructor(private readonly options: MembershipOptions) {
    this.#belonging = this.#belong();
  }

  /** Leaves the group: its partitions go to others at once. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#belonging;
  }

  async #belong(): Promise<void> {
    const { link, topics, queue, log, onOut, onFatal } = this.options;
    const { signal } = this.#leaving;
    for (let tries = 1; !signal.aborted; tries += 1) {
      const joinedBefore = this.#memberId;
      try {
        await unlessAborted(this.#once(), signal);
      } catch (error) {
        await this.#member?.stop();
        this.#member = undefined;
        if (signal.aborted) return;
        onOut();
        if (error instanceof Fatal) return onFatal(error);
        if (this.#memberId !== joinedBefore) tries = 1;
        const failure = kafkaFailure(error);
        if (failure === "missing") {
          topics.forget();
          link.renew();
        } else link.suspect();
        if (link.up) log.warn({ queue, error: kafkaReason(error) }, "a Kafka queue can not be consumed now; trying again");
      }
      await waitFor(50 + backoffDelay(tries, PAUSES), signal).catch(() => undefined);
    }
  }

  /** Belongs to the group until the member crashes: throws why. */
  async #once(): Promise<never> {
    const { config, link, topics, queue, log, beforeJoin, onJoined, onBatch } = this.options;
    const topic = await topics.ensure(queue, link.client);
    const crashed = await new Promise<unknown>((resolve) => {
      const member = newMember(
        config,
        {
          topic,
          group: groupOf(topic),
          ghost: this.#memberId,
          beforeJoin,
          onJoined: (memberId, partitions) => {
            this.#memberId = memberId;
            onJoined(member, partitions);
          },
          onBatch,
          onCrash: resolve,
        },
        log,
      );
      this.#member = member;
      void member.start();
    });
    const failure = kafkaFailure(crashed);
    if (failure === "permission") throw notAllowed(config, topic, crashed);
    if (failure !== "refused") throw crashed;
    const reason = `Kafka refuses a member of the group ${topic}; KAFKA_SESSION_TIMEOUT is ${config.kafkaSessionTimeout} ms`;
    throw new Fatal(reason, { cause: crashed });
  }
}
