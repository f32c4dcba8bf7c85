/** One connection to NATS for as long as the process lives: it comes back by itself, and whoever depends on it is told. */
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { describeError, Fatal, Retry } from "../../errors.js";
import { inTime } from "../../in-time.js";
import type { Logger } from "../../log.js";
import { natsFailure } from "./failures.js";
import { type NatsIdentity, refusal } from "./keys.js";

const CLOSE_MS = 3_000;

export interface LinkListener {
  /** The connection is lost; it is being tried again. */
  onDown(): void;
  /** It will not come back. */
  onFailed(failure: Fatal): void;
  /** The server does not let us publish to this subject. */
  onDenied(subject: string, error: Error): void;
}

/** A living connection. */
export class Link {
  readonly #listeners = new Set<LinkListener>();
  #waiting: (() => void)[] = [];
  #up = true;
  #closed = false;
  #refusedSince: number | undefined;
  #failure: Fatal | undefined;
  #flushing: Promise<void> | undefined;

  constructor(
    readonly nc: NatsConnection,
    private readonly identity: NatsIdentity,
    private readonly patienceMs: number,
    private readonly log: Logger,
  ) {
    void this.#watch();
  }

  get up(): boolean {
    return this.#up && !this.#closed;
  }

  /** Why it is gone for good. */
  get failure(): Fatal | undefined {
    return this.#failure;
  }

  /** Returns how to stop listening. */
  listen(listener: LinkListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when it is up, or will never be again. */
  async whenUp(): Promise<void> {
    if (this.#up || this.#closed || this.#failure) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Resolves when the server has read all that was sent; calls within one turn of the event loop share a round trip.
   * @throws Retry when the connection is lost before.
   */
  flush(): Promise<void> {
    this.#flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
      this.#flushing = undefined;
      if (!this.up) throw new Retry("the connection to NATS is lost");
      try {
        await this.nc.flush();
      } catch (cause) {
        throw new Retry("the connection to NATS was lost", { cause });
      }
    });
    return this.#flushing;
  }

  /** Sends what is left and disconnects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const wasUp = this.up;
    this.#closed = true;
    this.#wake();
    if (wasUp) await inTime(this.nc.drain(), CLOSE_MS);
    await inTime(this.nc.close(), CLOSE_MS);
  }

  async #watch(): Promise<void> {
    void this.nc.closed().then((error) => {
      if (!this.#closed) this.#fail(new Fatal("the connection to NATS ended for good", { cause: error ?? undefined }));
    });
    for await (const status of this.nc.status()) {
      if (this.#closed) return;
      if (status.type === "disconnect") this.#lost(status.server);
      else if (status.type === "reconnect") this.#back(status.server);
      else if (status.type === "error") this.#complained(status.error);
      else if (status.type === "ldm")
        this.log.info({ server: status.server }, "the NATS server is about to stop; the connection moves to another one then");
    }
  }

  #lost(server: string): void {
    if (!this.#up) return;
    this.#up = false;
    this.log.warn({ server }, "the connection to NATS is lost; trying again until it is back");
    for (const listener of [...this.#listeners]) listener.onDown();
  }

  #back(server: string): void {
    // The client tells it once for every try that had failed.
    if (this.#up) return;
    this.#refusedSince = undefined;
    this.#up = true;
    this.log.info({ server }, "the connection to NATS is back");
    this.#wake();
  }

  #complained(error: Error): void {
    if (natsFailure(error) !== "identity") {
      this.log.warn({ error: describeError(error) }, "NATS reports an error");
      if (error instanceof errors.PermissionViolationError && error.operation === "publish") {
        for (const listener of [...this.#listeners]) listener.onDenied(error.subject, error);
      }
      return;
    }
    this.#refusedSince ??= performance.now();
    this.log.error({ error: describeError(error) }, refusal(this.identity));
    if (performance.now() - this.#refusedSince < this.patienceMs) return;
    this.#fail(new Fatal(refusal(this.identity), { cause: error }));
    void this.nc.close();
  }

  #fail(failure: Fatal): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#up = false;
    this.#wake();
    for (const listener of [...this.#listeners]) listener.onFailed(failure);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
