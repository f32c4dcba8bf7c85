/** Consuming a queue: what is held stays ours as long as the process lives, and messages go on coming after any outage. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../backoff.js";
import { describeError, type Fatal, Retry } from "../../errors.js";
import { inTime } from "../../in-time.js";
import type { ConsumeOptions, Consumption, Delivery } from "../bus.js";
import { Backlog, type Read } from "./backlog.js";
import { Commits } from "./commits.js";
import { kafkaFailure } from "./failures.js";
import { createGate } from "./gate.js";
import { HeldMessages } from "./held.js";
import type { Batch, Member } from "./member.js";
import { Membership, type MembershipOptions } from "./membership.js";
import { groupOf, topicName } from "./names.js";
import { Partitions } from "./partitions.js";
import { fromRecord } from "./record.js";

/**
 * Announced beyond what can be held: what is delivered between two commits. All of it counts as delivered once more when the process is
 * killed, which isolates some of it that is innocent; so it is not more.
 */
const AHEAD = 32;
/** Between two requests that bring messages: so the next one brings several, and nobody waits for those that came. */
const READ_PAUSE_MS = 10;
const PAUSE_AFTER_FAILURE_MS = 200;
/** Before partitions are given out anew, what is held may be worked on for so long. */
const FINISH_MS = 5_000;
/** Taking leave may take so long, and each part of it. */
const LEAVE_MS = 3_000;

export interface ConsumptionOptions extends Pick<MembershipOptions, "config" | "link" | "topics" | "queue" | "log"> {
  /** What has been consumed is deleted so often. */
  readonly deleteEveryMs: number;
  readonly options: ConsumeOptions;
  readonly deliver: (delivery: Delivery) => void;
}

export class KafkaConsumption implements Consumption {
  readonly #held: HeldMessages;
  readonly #backlog: Backlog;
  readonly #commits = new Commits(() => this.#wake());
  readonly #partitions = new Partitions((partition) => this.#commits.lost(partition));
  readonly #membership: Membership;
  readonly #deleting: NodeJS.Timeout;
  /** Opened whenever there may be room for what was fetched. */
  readonly #room = createGate();
  /** Opened when the partitions are taken for the first time, or will never be. */
  readonly #joined = createGate();
  #flows = false;
  /** Partitions are being given out: nothing is delivered. */
  #joining = true;
  /** Counts how often they were. */
  #turn = 0;
  #taking = Promise.resolve();
  #awake = false;
  #isStopped = false;
  #leaving: Promise<void> | undefined;

  constructor(private readonly parts: ConsumptionOptions) {
    const { maxHeld, maxHeldBytes } = parts.options;
    this.#backlog = new Backlog(maxHeld + AHEAD, () => this.#wake());
    this.#held = new HeldMessages({
      maxHeld,
      maxHeldBytes,
      onAck: async ({ from, offset }) => {
        from.progress.finish(offset);
        this.#settled();
        await this.#commits.kept(from);
      },
      onRetry: (read, delayMs) => {
        if (!this.#isStopped && !read.from.isLost) this.#backlog.postpone(read, delayMs);
        this.#settled();
      },
    });
    this.#membership = new Membership({
      ...parts,
      beforeJoin: () => this.#letGo(),
      onJoined: (member, partitions) => {
        this.#partitions.keep(partitions);
        this.#taking = this.#take(member, partitions);
      },
      onBatch: (batch) => this.#read(batch),
      onOut: () => this.#out(),
      onFatal: (error) => this.fail(error),
    });
    this.#deleting = setInterval(() => void this.#deleteConsumed(), parts.deleteEveryMs);
  }

  /** Messages come when there are any. */
  get flows(): boolean {
    return this.#flows;
  }

  /** Resolves when messages come for the first time, or never will. */
  get joined(): Promise<void> {
    return this.#joined.opened;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#backlog.clear();
    if (this.#held.size === 0) await this.#leave();
  }

  async release(): Promise<void> {
    this.#isStopped = true;
    this.#held.clear();
    await this.#leave();
  }

  /** It can not go on. */
  fail(error: Fatal): void {
    if (this.#leaving) return;
    void this.release();
    this.parts.options.onFatal(error);
  }

  /** Delivers what may be delivered, in a turn of the event loop of its own. */
  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    setImmediate(() => {
      this.#awake = false;
      if (this.#joining || this.#isStopped) return;
      const hasRoom = (read: Read) => this.#held.hasRoomFor(read);
      for (let read = this.#backlog.shift(hasRoom); read; read = this.#backlog.shift(hasRoom)) {
        this.parts.deliver(this.#held.hold(read));
        // The consumer may have stopped us.
        if (this.#isStopped) return;
      }
      for (const partition of this.#backlog.announce()) this.#commits.changed(partition);
      if (this.#backlog.isUntold) this.#commits.hurry();
      if (!this.#backlog.isFull) this.#room.open();
    });
  }

  #settled(): void {
    this.#wake();
    if (this.#isStopped && this.#held.size === 0) void this.#leave();
  }

  /** Partitions are about to be given out anew: finishes what is held, as far as there is time, for another one would work on it too. */
  async #letGo(): Promise<void> {
    this.#joining = true;
    this.#turn += 1;
    this.#backlog.withdraw();
    // No heartbeat is sent meanwhile, and the whole group waits.
    await inTime(this.#held.empty(), Math.min(FINISH_MS, this.parts.config.kafkaSessionTimeout / 2));
    for (const partition of this.#partitions.all()) this.#commits.changed(partition);
    await inTime(this.#commits.idle(), LEAVE_MS);
    this.#commits.use(undefined);
  }

  async #take(member: Member, ids: readonly number[]): Promise<void> {
    const { link, queue, config, log } = this.parts;
    this.#turn += 1;
    const turn = this.#turn;
    const topic = topicName(config.kafkaPrefix, queue);
    while (turn === this.#turn) {
      try {
        const positions = await link.client.positions(topic, groupOf(topic));
        if (turn !== this.#turn) return;
        const { taken, readOn } = this.#partitions.take(ids, positions);
        for (const { id, progress } of readOn) member.seek(id, progress.readTo);
        this.#commits.use((commits) => member.commit(commits));
        for (const partition of taken) this.#commits.changed(partition);
        this.#joining = false;
        this.#flows = true;
        this.#joined.open();
        log.debug({ queue, partitions: ids }, "took partitions");
        this.#wake();
        return;
      } catch (error) {
        log.debug({ queue, error: describeError(error) }, "the offsets of a Kafka queue can not be read; trying again");
        await waitFor(PAUSE_AFTER_FAILURE_MS, new AbortController().signal);
      }
    }
  }

  async #read({ partition, messages, high, isRunning, pause }: Batch): Promise<void> {
    while (this.#joining && isRunning()) await pause(this.#taking);
    const from = this.#partitions.reading(partition, { first: Number(messages[0]?.offset), high });
    if (!from || !isRunning() || this.#isStopped) return;
    for (const record of messages) {
      const offset = Number(record.offset);
      if (from.progress.read(offset)) this.#backlog.add({ from, offset, message: fromRecord(record, this.parts.queue) });
    }
    this.#wake();
    await sleep(READ_PAUSE_MS);
    while ((this.#backlog.isFull || this.#isStopped) && isRunning() && !this.#leaving) {
      this.#room.close();
      await pause(this.#room.opened);
    }
  }

  /** The member is no more; what it held stays ours if nobody takes the partitions before the next one. */
  #out(): void {
    this.#turn += 1;
    this.#flows = false;
    this.#joining = true;
    this.#backlog.withdraw();
    this.#commits.use(undefined);
  }

  #leave(): Promise<void> {
    this.#leaving ??= this.#leaveNow();
    return this.#leaving;
  }

  async #leaveNow(): Promise<void> {
    clearInterval(this.#deleting);
    this.#backlog.clear();
    for (const partition of this.#partitions.all()) this.#commits.changed(partition);
    await inTime(this.#commits.idle(), LEAVE_MS);
    this.#turn += 1;
    this.#flows = false;
    const left = this.#membership.leave();
    this.#room.open();
    this.#joined.open();
    await inTime(left, LEAVE_MS);
    this.#commits.end(new Retry(`the consumption of ${this.parts.queue} has ended`));
  }

  async #deleteConsumed(): Promise<void> {
    const { link, config, queue, log } = this.parts;
    const consumed = this.#partitions.all().flatMap(({ id, committed }) => (committed ? [{ partition: id, offset: committed }] : []));
    if (!link.up || consumed.length === 0) return;
    try {
      await link.client.deleteBelow(topicName(config.kafkaPrefix, queue), consumed);
    } catch (error) {
      if (kafkaFailure(error) !== "permission") return;
      clearInterval(this.#deleting);
      log.info({ queue }, "this user may not delete records: what is consumed stays until KAFKA_RETENTION");
    }
  }
}
