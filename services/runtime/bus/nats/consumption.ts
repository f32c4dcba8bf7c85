/** Consuming a queue: what is held stays ours as long as the process lives, and messages go on coming after any outage. */
import { Fatal, Retry } from "../../errors.js";
import { inTime } from "../../in-time.js";
import type { Logger } from "../../log.js";
import type { ConsumeOptions, Consumption, Delivery } from "../bus.js";
import { findAgain, notAllowed } from "./find-again.js";
import { HANDED_BACK, HeldMessages, WORKING } from "./held.js";
import type { Link, LinkListener } from "./link.js";
import { Puller } from "./puller.js";
import { Receipts } from "./receipts.js";
import type { QueueConsumer, Streams } from "./streams.js";

/** Between two looks whether the server still knows what it was asked. */
const WATCH_MS = 1_000;
/** Taking leave of the server may take so long. */
const LEAVE_MS = 2_000;

export interface NatsConsumptionParts {
  readonly link: Link;
  readonly streams: Streams;
  readonly queue: string;
  readonly ackWaitMs: number;
  readonly options: ConsumeOptions;
  readonly deliver: (delivery: Delivery) => void;
  readonly log: Logger;
}

export class NatsConsumption implements Consumption, LinkListener {
  readonly #held: HeldMessages;
  readonly #receipts: Receipts;
  readonly #puller: Puller;
  readonly #unlisten: () => void;
  readonly #timers: readonly NodeJS.Timeout[];
  /** Receipts of what arrived while it stopped. */
  readonly #strays: string[] = [];
  /** Aborted when it failed or is released: nothing is looked for any more. */
  readonly #leaving = new AbortController();
  /** While it pends, what is held may be of a stream that is no more. */
  #recovering: Promise<void> | undefined;
  #recoveredAt = Number.NEGATIVE_INFINITY;
  #stopping: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;

  constructor(
    private readonly parts: NatsConsumptionParts,
    private consumer: QueueConsumer,
  ) {
    const { link, queue, deliver, log } = parts;
    this.#receipts = new Receipts(link, () => this.#recovering, log);
    const held = new HeldMessages(
      queue,
      (message, what) => this.#receipts.tell(message, what),
      () => this.#puller.settled(),
    );
    this.#held = held;
    this.#puller = new Puller({
      ...parts,
      held,
      onMessage: (message) => deliver(held.hold(message)),
      onStray: ({ reply = "" }) => (this.#stopping ? this.#strays.push(reply) : this.#receipts.say(reply, HANDED_BACK)),
      onGone: () => this.#recover(),
      onRefused: (error) => this.#fail(notAllowed(queue, error)),
    });
    this.#unlisten = link.listen(this);
    // The server hears of a held message at least every half of the time after which it would give it to another consumer.
    const renewMs = parts.ackWaitMs / 3;
    this.#timers = [setInterval(() => this.#renew(renewMs / 2), renewMs), setInterval(() => this.#watch(), WATCH_MS)];
    this.#puller.open(consumer);
  }

  /** Messages come when there are any. */
  get flows(): boolean {
    return this.#recovering === undefined && !this.#leaving.signal.aborted;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  release(): Promise<void> {
    this.#releasing ??= this.#release();
    return this.#releasing;
  }

  onDown(): void {
    this.#recover();
  }

  onFailed(failure: Fatal): void {
    this.#fail(failure);
  }

  onDenied(subject: string, error: Error): void {
    if (this.#puller.concerns(subject)) this.#fail(notAllowed(this.parts.queue, error));
  }

  async #stop(): Promise<void> {
    const { link, streams, queue } = this.parts;
    const hadAsked = this.#puller.isOpen;
    await inTime(this.#puller.close(), LEAVE_MS);
    if (!link.up || this.#recovering) return;
    // Asked about the consumer, the server forgets our request. nats-server 2.9 would otherwise try it with what is handed back, and
    // count deliveries anew.
    if (hadAsked) await inTime(streams.look(queue), LEAVE_MS);
    await this.#handBack(this.#strays);
  }

  async #release(): Promise<void> {
    const ended = new Retry(`the consumption of ${this.parts.queue} has ended`);
    this.#leaving.abort(ended);
    const unsettled = this.#held.takeAll();
    await this.stop();
    this.#unlisten();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#handBack(unsettled.filter(({ orphaned }) => !orphaned).map(({ reply }) => reply));
    this.#receipts.end(ended);
  }

  async #handBack(replies: readonly string[]): Promise<void> {
    if (!this.parts.link.up || this.#recovering || replies.length === 0) return;
    for (const reply of replies) this.#receipts.say(reply, HANDED_BACK);
    await inTime(this.parts.link.flush(), LEAVE_MS);
  }

  #fail(error: Fatal): void {
    if (this.#leaving.signal.aborted) return;
    this.#leaving.abort(error);
    void this.stop();
    this.parts.options.onFatal(error);
  }

  #watch(): void {
    if (this.#puller.isSilent && this.parts.link.up) this.#recover();
  }

  #renew(heldMs: number): void {
    if (!this.parts.link.up || this.#recovering) return;
    for (const { reply, orphaned } of this.#held.heldFor(heldMs)) if (!orphaned) this.#receipts.say(reply, WORKING);
  }

  /** Looks whether stream and consumer are still what they were, and begins to ask anew. */
  #recover(): void {
    if (this.#recovering || this.#leaving.signal.aborted) return;
    void this.#puller.close();
    const isAgain = performance.now() - this.#recoveredAt < WATCH_MS;
    this.#recovering = findAgain(this.parts, { isAgain, signal: this.#leaving.signal }).then(
      (consumer) => {
        this.#recovering = undefined;
        this.#recoveredAt = performance.now();
        this.#found(consumer);
        this.#renew(0);
        if (!this.#stopping) this.#puller.open(consumer);
      },
      (error: unknown) => {
        this.#recovering = undefined;
        if (error instanceof Fatal) this.#fail(error);
      },
    );
  }

  #found(consumer: QueueConsumer): void {
    const { log, queue } = this.parts;
    if (consumer.identity !== this.consumer.identity) {
      this.#held.orphan();
      log.warn(
        { queue, stream: consumer.stream },
        "a NATS queue was deleted and is made anew; what it held is lost, and its gateway publishes it again",
      );
    }
    this.consumer = consumer;
  }
}
