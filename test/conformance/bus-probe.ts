/** What the behaviours of a bus are written with: messages, and a consumer that remembers what it got. */
import { randomUUID } from "node:crypto";
import type { Bus, ConsumeOptions, Consumption, Delivery, OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { eventually } from "./eventually.js";

/**
 * One test's access to a broker. The bound of a queue, where there is one, is between 256 and 1,000 messages, and at least 8 MiB: every
 * behaviour fits below it except those that fill it.
 */
export interface BusFixture {
  readonly bus: Bus;
  /** A further client of the same broker, as another process would have it. */
  another(): Promise<Bus>;
  /** Stops the broker hard and starts it again with what it has on disk. */
  readonly restartBroker?: () => Promise<void>;
  /** Closes all clients, and the broker if it was made for this test. */
  dispose(): Promise<void>;
}

/** Long enough for a broker to deliver what it should not. */
export const SETTLE_MS = 150;

/** More than the bound of any queue. */
export const OVERFULL = 1_100;

/** A queue that no other test uses, for a broker outlives a test. */
export function newQueue(): string {
  return `conformance.${randomUUID()}`;
}

/** A message numbered `index`; its id is new, like those of a new run. */
export function message(queue: string, index: number, change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { queue, key: "run", id: `${randomUUID()}/1.0/${index}`, headers: {}, body: Buffer.from(`message ${index}`), ...change };
}

export function messages(
  queue: string,
  count: number,
  change: (index: number) => Partial<OutgoingMessage> = () => ({}),
): OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => message(queue, index, change(index)));
}

/** In order, each when the one before is there. */
export async function publishInOrder(bus: Bus, outgoing: readonly OutgoingMessage[]): Promise<void> {
  for (const one of outgoing) await bus.publish(one);
}

export interface Probe {
  /** Everything delivered, in order, repeats included. */
  readonly deliveries: Delivery[];
  /** Failures that the bus reported. */
  readonly fatal: Error[];
  readonly consumption: Consumption;
  /** Ids delivered so far, without repeats. */
  ids(): Set<string>;
  /** Waits until so many deliveries were made. */
  received(count: number, ms?: number): Promise<void>;
}

const ROOMY = { maxHeld: 1_000, maxHeldBytes: 64 * 2 ** 20 };

/** Consumes; `onDelivery` decides what becomes of each delivery, by default it is held. */
export async function consume(
  bus: Bus,
  queue: string,
  onDelivery: (delivery: Delivery) => void = () => {},
  bounds: Partial<Pick<ConsumeOptions, "maxHeld" | "maxHeldBytes">> = {},
): Promise<Probe> {
  const deliveries: Delivery[] = [];
  const fatal: Error[] = [];
  const consumption = await bus.consume(queue, { ...ROOMY, ...bounds, onFatal: (error) => fatal.push(error) }, (delivery) => {
    deliveries.push(delivery);
    onDelivery(delivery);
  });
  return {
    deliveries,
    fatal,
    consumption,
    ids: () => new Set(deliveries.map(({ id }) => id)),
    received: (count, ms) => eventually(`${count} deliveries from ${queue}`, () => deliveries.length >= count, ms),
  };
}

export function ackAtOnce(delivery: Delivery): void {
  // A lost ack means another delivery, which is acked as well.
  delivery.ack().catch(() => {});
}

export function lagOf(bus: Bus, queue: string, expected: number): Promise<void> {
  return eventually(`a lag of ${expected}`, async () => (await bus.lag(queue)) === expected);
}
