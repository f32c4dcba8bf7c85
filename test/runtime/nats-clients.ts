/** What tests of the NATS adapter share: clients of a server, closed with it, and NATS' own view of streams and consumers. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { connectNatsBus, type NatsBusOptions } from "../../services/runtime/bus/nats/bus.js";
import { natsKeys } from "../../services/runtime/bus/nats/keys.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";
import { type NatsServer, startNats } from "../brokers/nats.js";

export interface NatsStage {
  readonly server: NatsServer;
  /** Lines that the adapters logged. */
  readonly lines: string[];
  /** A client, as another process would have it. */
  client(env?: Readonly<Record<string, string>>, options?: Partial<NatsBusOptions>): Promise<Bus>;
  /** The server's side, without the adapter. */
  admin(): Promise<JetStreamManager>;
}

/** Runs a test with a server of its own; closes everything afterwards. */
export async function onNats(program: string, run: (stage: NatsStage) => Promise<void>, config = ""): Promise<void> {
  const server = await startNats(program, config);
  const closing: (() => Promise<unknown>)[] = [];
  const lines: string[] = [];
  const log = createLogger("debug", (line) => lines.push(line));
  try {
    await run({
      server,
      lines,
      async client(env = {}, options = {}) {
        const read = readConfig(natsKeys, { NATS_URL: `nats://${server.address}`, NATS_STREAM_BYTES: "64M", ...env });
        const bus = await connectNatsBus({ config: read, queues: ["filter"], log, ...options });
        closing.push(() => bus.close());
        return bus;
      },
      async admin() {
        const nc = await connect({ servers: server.address });
        closing.push(() => nc.close());
        return jetstreamManager(nc, { checkAPI: false });
      },
    });
  } finally {
    await Promise.all(closing.map((close) => close().catch(() => undefined)));
    await server.close();
  }
}
