/** The memory adapter of the bus: one process, nothing to install. What it holds ends with the process; the gateway publishes it again. */
import { Retry } from "../errors.js";
import type { Bus, Consumption, OutgoingMessage } from "./bus.js";
import { type MemoryBounds, type MemoryConsumer, MemoryQueue } from "./memory-queue.js";
import { checkQueueName } from "./queue-name.js";

/** Queues that several clients share, as a broker's are. */
export interface MemoryBroker {
  connect(): Bus;
}

/** A bus for one process: a broker with one client. */
export function createMemoryBus(bounds: MemoryBounds): Bus {
  return createMemoryBroker(bounds).connect();
}

/**
 * Every queue is bounded by itself. A message passes without a copy: from `publish` on, nobody changes its body or transfers it to
 * another thread, neither the publisher nor a consumer, for it may be delivered again.
 */
export function createMemoryBroker(bounds: MemoryBounds): MemoryBroker {
  const queues = new Map<string, MemoryQueue>();
  const queueNamed = (name: string): MemoryQueue => {
    const known = queues.get(name);
    if (known) return known;
    checkQueueName(name);
    const queue = new MemoryQueue(bounds);
    queues.set(name, queue);
    return queue;
  };
  return { connect: () => connect(queueNamed) };
}

function connect(queueNamed: (name: string) => MemoryQueue): Bus {
  const consumers = new Set<MemoryConsumer>();
  const givingUp = new Set<(reason: Error) => void>();
  let closed = false;

  const open = (name: string): MemoryQueue => {
    if (closed) throw closedError();
    return queueNamed(name);
  };

  return {
    async publish(message, signal) {
      signal?.throwIfAborted();
      await offer(open(message.queue), message, signal, givingUp);
    },

    async consume(name, options, deliver): Promise<Consumption> {
      const consumer = open(name).attach(options, deliver);
      consumers.add(consumer);
      return {
        async stop() {
          consumer.stop();
        },
        async release() {
          consumers.delete(consumer);
          consumer.release();
        },
      };
    },

    async lag(name) {
      return open(name).lag;
    },

    ready: () => !closed,

    async close() {
      closed = true;
      for (const giveUp of givingUp) giveUp(closedError());
      for (const consumer of consumers) consumer.release();
      consumers.clear();
    },
  };
}

/** Resolves when the queue has the message; waits in place while it is full. */
function offer(
  queue: MemoryQueue,
  message: OutgoingMessage,
  signal: AbortSignal | undefined,
  givingUp: Set<(reason: Error) => void>,
): Promise<void> | undefined {
  let admitted: () => void = () => {};
  const withdraw = queue.offer(message, () => admitted());
  if (withdraw === undefined) return undefined;
  return new Promise<void>((resolve, reject) => {
    const aborted = () => giveUp(signal?.reason);
    const done = () => {
      givingUp.delete(giveUp);
      signal?.removeEventListener("abort", aborted);
    };
    const giveUp = (reason: unknown) => {
      done();
      withdraw();
      reject(reason);
    };
    admitted = () => {
      done();
      resolve();
    };
    givingUp.add(giveUp);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

function closedError(): Retry {
  return new Retry("the memory bus is closed");
}
