/** The way to Kafka for as long as the process lives: watched, and connected anew when it is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { Fatal, Retry } from "../../errors.js";
import type { Logger } from "../../log.js";
import { unlessAborted } from "../unless-aborted.js";
import type { KafkaClient } from "./client.js";
import { kafkaFailure, kafkaReason } from "./failures.js";

/** Between two looks whether it is there. */
const WATCH_MS = 2_000;
const AWAY_MS = 500;

export interface LinkOptions {
  /** @throws kafkajs' errors */
  readonly connect: () => Promise<KafkaClient>;
  /** What an operator is told when Kafka does not take who we say we are. */
  readonly refusal: string;
  /** So long a refusal may last: Kafka may be about to learn our identity. */
  readonly patienceMs: number;
  readonly log: Logger;
}

export class Link {
  readonly #closing = new AbortController();
  readonly #watching: Promise<void>;
  readonly #failed: ((failure: Fatal) => void)[] = [];
  #up = true;
  #isStale = false;
  #suspect: (() => void) | undefined;
  #refusedSince: number | undefined;
  #failure: Fatal | undefined;

  constructor(
    private current: KafkaClient,
    private readonly options: LinkOptions,
  ) {
    this.#watching = this.#watch();
  }

  get up(): boolean {
    return this.#up && !this.#closing.signal.aborted;
  }

  /** @throws Fatal when Kafka will not be there any more; Retry when it is away now */
  get client(): KafkaClient {
    if (this.#failure) throw this.#failure;
    if (!this.up) throw new Retry("Kafka is away");
    return this.current;
  }

  onFailed(listener: (failure: Fatal) => void): void {
    this.#failed.push(listener);
  }

  /** Something failed that should not have: looks at once whether Kafka is there. */
  suspect(): void {
    this.#suspect?.();
  }

  /** A topic that was there is no more. kafkajs goes on asking for it, and fails for all others too: only a new client can make it anew. */
  renew(): void {
    this.#isStale = true;
    this.suspect();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#watching;
    await this.current.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && !this.#failure) {
      try {
        await this.#pause(this.#up ? WATCH_MS : AWAY_MS);
        await unlessAborted(this.#look(), signal);
        this.#back();
      } catch (error) {
        if (!signal.aborted) this.#lost(error);
      }
    }
  }

  async #look(): Promise<void> {
    if (this.#up && !this.#isStale) return this.current.ping();
    this.#isStale = false;
    // kafkajs forgets brokers that it could not reach, all of them at last.
    const fresh = await this.options.connect();
    const old = this.current;
    this.current = fresh;
    void old.close();
    if (this.#closing.signal.aborted) await fresh.close();
  }

  #back(): void {
    this.#refusedSince = undefined;
    if (this.#up) return;
    this.#up = true;
    this.options.log.info({}, "the connection to Kafka is back");
  }

  #lost(error: unknown): void {
    const { log, refusal, patienceMs } = this.options;
    if (this.#up) log.warn({ error: kafkaReason(error) }, "the connection to Kafka is lost; trying again until it is back");
    this.#up = false;
    if (kafkaFailure(error) !== "identity") {
      this.#refusedSince = undefined;
      return;
    }
    log.error({ error: kafkaReason(error) }, refusal);
    this.#refusedSince ??= performance.now();
    if (performance.now() - this.#refusedSince < patienceMs) return;
    this.#failure = new Fatal(refusal, { cause: error });
    for (const listener of this.#failed) listener(this.#failure);
  }

  /** Ends early when something failed. */
  async #pause(ms: number): Promise<void> {
    const early = new AbortController();
    const suspect = new Promise<void>((resolve) => {
      this.#suspect = resolve;
    });
    try {
      await unlessAborted(Promise.race([suspect, sleep(ms, undefined, { signal: early.signal })]), this.#closing.signal);
    } finally {
      this.#suspect = undefined;
      early.abort();
    }
  }
}
