/**
 * The bus port: work queues with at-least-once delivery. Adapters: memory, nats, kafka. One conformance suite
 * (test/conformance/bus.ts) holds for all of them; what is promised here is tested there.
 */

/** What is published. The bus reads none of it but `queue`, `key`, `id` and the sizes. */
export interface OutgoingMessage {
  /** The work queue: `filter`, `raster`, `out.<packager>`. [a-zA-Z0-9_-] words joined by dots. */
  readonly queue: string;
  /** The run, for fairness between runs and for spreading over partitions. */
  readonly key: string;
  /** Derived id. A broker may drop a repeat of an id it has seen lately; correctness never relies on it. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Passed on without a copy where the adapter can: from `publish` on nobody changes it or transfers it to another thread. */
  readonly body: Uint8Array;
}

/**
 * One message, held by one consumer until it is settled by `ack` or `retry`; the first settles, later calls do nothing.
 * The adapter keeps a held message ours for as long as the process lives, however long the work takes. When the process
 * dies, the connection is lost for good, or the consumption is closed, an unsettled message is delivered again to any consumer.
 */
export interface Delivery extends OutgoingMessage {
  /** How often this message has been delivered, from 1. An estimate where the broker does not count. */
  readonly attempt: number;
  /** Done. Resolves when the broker knows; a lost ack means another delivery. */
  ack(): Promise<void>;
  /** Hands it back: delivered again, to any consumer, not before `delayMs`. */
  retry(delayMs: number): Promise<void>;
}

export interface ConsumeOptions {
  /** At most so many messages are held unsettled at once... */
  readonly maxHeld: number;
  /** ...and at most so many bytes of bodies, but always at least one message. */
  readonly maxHeldBytes: number;
  /** Called once if the consumption can not go on (the queue was deleted, access was withdrawn). Passing outages do not count. */
  readonly onFatal: (error: Error) => void;
}

export interface Consumption {
  /**
   * Stops delivering. Held messages may still be settled until `release`.
   */
  stop(): Promise<void>;
  /** Hands back at once whatever is still unsettled. Implies `stop`. */
  release(): Promise<void>;
}

export interface Bus {
  /**
   * Resolves when the bus has the message as durably as it can (a broker's acknowledgement). A full queue is waited for in
   * place: a slow consumer slows the producer. Rejects with Retry when the bus is away, with Fatal when it refuses for good (a queue
   * name that is none, a body over every limit), and with the signal's reason when aborted; then the message may or may not be there.
   */
  publish(message: OutgoingMessage, signal?: AbortSignal): Promise<void>;
  /**
   * Delivers the queue's messages to `deliver`, per key in publish order as long as nothing is redelivered, and with keys taking turns,
   * where the adapter can (Kafka keeps no order between partitions). All consumers of a queue share its messages. The queue is created if it is missing. `deliver` must not throw, and is
   * never called inside `publish`, `ack` or `retry`.
   */
  consume(queue: string, options: ConsumeOptions, deliver: (delivery: Delivery) => void): Promise<Consumption>;
  /** Consumer lag: messages of the queue that are not yet settled, held ones included. */
  lag(queue: string): Promise<number>;
  /** Whether the bus can be reached now; for readiness. */
  ready(): boolean;
  /**
   * Releases every consumption, flushes what was published, disconnects. Pending publishes reject with Retry, and so does every later
   * call. Idempotent.
   */
  close(): Promise<void>;
}
