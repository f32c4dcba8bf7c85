/** The brokers that chaos is run on: how each is started, killed, and made to lose what waits in it. A new one is an entry here. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { findNats, startNats } from "../brokers/nats.js";
import { kafkaKind } from "./kafka-broker.js";

export interface ChaosBroker {
  /** What the services are told of it. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and store. */
  start(): Promise<void>;
  /** Messages that wait in a queue's stream or topic, held ones included. */
  waiting(queue: Hop): Promise<number>;
  /** Deletes all that waits there, behind the services' backs; how many they were. */
  lose(queue: Hop): Promise<number>;
  /** Deletes all streams or topics, with what they hold. */
  deleteQueues(): Promise<void>;
  /** Starts it again, after `kill`, so that it does not take who the services say they are. Undefined: it can not be changed for them. */
  readonly startRefusing: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** The queues that all processes of a role share. */
export type Hop = "filter" | "raster";

export interface ChaosBrokerKind {
  /** So long after a process died, what it held is another one's. Short, but no process that is only busy is taken for a dead one. */
  readonly takeoverMs: number;
  readonly start: () => Promise<ChaosBroker>;
}

/** By the name of the bus: what there is on this machine, or why it can not be had. */
export const CHAOS_BROKERS: Readonly<Record<string, () => ChaosBrokerKind | { readonly skip: string }>> = {
  nats: natsKind,
  kafka: kafkaKind,
};

const NATS_ACK_WAIT_MS = 1_500;

function natsKind(): ChaosBrokerKind | { readonly skip: string } {
  const nats = findNats();
  if ("skip" in nats) return nats;
  return { takeoverMs: NATS_ACK_WAIT_MS, start: () => startNatsBroker(nats.program) };
}

async function startNatsBroker(program: string): Promise<ChaosBroker> {
  const server = await startNats(program);
  const stream = (queue: Hop) => `maskline-${queue}`;
  async function asAdmin<T>(work: (admin: JetStreamManager) => Promise<T>): Promise<T> {
    const nc = await connect({ servers: server.address });
    try {
      return await work(await jetstreamManager(nc, { checkAPI: false }));
    } finally {
      await nc.close();
    }
  }
  return {
    env: { BUS: "nats", NATS_URL: `nats://${server.address}`, NATS_ACK_WAIT: `${NATS_ACK_WAIT_MS}ms`, NATS_STREAM_BYTES: "256M" },
    kill: () => server.kill(),
    start: () => server.start(),
    waiting: (queue) => asAdmin(async (admin) => (await admin.streams.info(stream(queue))).state.messages),
    lose: (queue) => asAdmin(async (admin) => (await admin.streams.purge(stream(queue))).purged),
    deleteQueues: () =>
      asAdmin(async (admin) => {
        for (const queue of ["filter", "raster", "out"]) await admin.streams.delete(`maskline-${queue}`);
      }),
    startRefusing: () => server.start('authorization { token: "another-one" }'),
    close: () => server.close(),
  };
}
