/**
 * The WebSocket connector (docs/hub-protocol.md section 2): we dial Hub, no inbound port. The only import of socket.io-client.
 *
 * Each connection is a fresh client without buffers or reconnects of its own; after every kind of loss, also those where socket.io would
 * stay down, the next one is dialled after a random wait. Nothing here ends the process.
 */
import { Manager, type Socket } from "socket.io-client";
import { type BackoffBounds, backoffDelay } from "../runtime/backoff.js";
import { describeError } from "../runtime/errors.js";
import { inTime } from "../runtime/in-time.js";
import type { Logger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import { asFields } from "./json-value.js";
import { Outbox } from "./outbox.js";

export interface HubSocketOptions {
  /** Hub's socket host: http(s)://host[:port]. */
  readonly host: string;
  readonly pluginId: string;
  readonly pluginSecret: string;
  /** Hub shows a plugin as gone after a few missed ones: 60 s. */
  readonly heartbeatMs: number;
  /** Until the namespace has answered. */
  readonly connectTimeoutMs: number;
  readonly reconnect: BackoffBounds & { readonly minDelayMs: number };
  readonly log: Logger;
}

/** A connection that lived so long was a good one: the waits begin anew after it. */
const STABLE_MS = 10_000;
/** For frames still in the buffer when we stop. */
const FLUSH_MS = 500;

const FIRST_CONNECTION =
  "connected to Hub; if its light for the plugin stays red, PLUGIN_ID or PLUGIN_SECRET is wrong, which Hub does not tell";

export function createHubSocket(options: HubSocketOptions): Connector {
  const { pluginId, pluginSecret, heartbeatMs, reconnect, log } = options;
  const outbox = new Outbox();
  let accept: (payload: unknown) => Promise<void> = async () => {};
  let present: Connection | undefined;
  let live = false;
  let stopped = false;
  let failures = 0;
  let connectedAt = 0;
  let connects = 0;
  let sessionAt: number | undefined;
  let redial: NodeJS.Timeout | undefined;
  let heartbeats: NodeJS.Timeout | undefined;
  const accepting = new Set<Promise<void>>();

  function dial(): void {
    const connection = openConnection(options, {
      connected(socket) {
        live = true;
        connectedAt = performance.now();
        connects += 1;
        // Hub is silent about a wrong secret: that no session has come yet is all that can be seen of it from here.
        const lastSession = sessionAt === undefined ? "none yet" : `${Math.round((connectedAt - sessionAt) / 1000)} s ago`;
        log.info({ connects, lastSession }, connects === 1 ? FIRST_CONNECTION : "connected to Hub again");
        const beat = () => socket.emit("heartbeat", { id: pluginId, secret: pluginSecret });
        beat();
        heartbeats = setInterval(beat, heartbeatMs);
        outbox.connected({
          log: (record) => void socket.emit("log", record),
          response: (answer) => void socket.emit("response", answer),
        });
      },
      plugin(payload, ack) {
        sessionAt = performance.now();
        const work = deliver(payload, ack).finally(() => accepting.delete(work));
        accepting.add(work);
      },
      pinged: () => {
        if (live) outbox.pinged();
      },
      lost(reason) {
        if (live && performance.now() - connectedAt >= STABLE_MS) failures = 0;
        silence();
        if (stopped) return;
        failures += 1;
        const delayMs = Math.max(reconnect.minDelayMs, backoffDelay(failures, reconnect));
        log.warn({ host: options.host, reason, delayMs }, "no connection to Hub, dialling again");
        redial = setTimeout(dial, delayMs);
      },
    });
    present = connection;
  }

  function silence(): void {
    live = false;
    clearInterval(heartbeats);
    outbox.lost();
  }

  async function deliver(payload: unknown, ack: (() => void) | undefined): Promise<void> {
    try {
      await accept(payload);
      ack?.();
    } catch (error) {
      log.error({ error: describeError(error) }, "a session of Hub could not be accepted");
    }
  }

  return {
    async start(onPayload) {
      accept = onPayload;
      dial();
    },
    connected: () => live,
    log: (_session, record) => outbox.log(record),
    answer: (_session, answer, signal) => outbox.answer(answer, signal),
    async stop() {
      if (stopped) return;
      stopped = true;
      clearTimeout(redial);
      // A session that is being accepted is still acknowledged.
      await inTime(Promise.all(accepting), FLUSH_MS);
      silence();
      outbox.close();
      await present?.close();
    },
  };
}

interface ConnectionEvents {
  connected(socket: Socket): void;
  plugin(payload: unknown, ack: (() => void) | undefined): void;
  pinged(): void;
  /** Once, whatever ended it or kept it from beginning. */
  lost(reason: string): void;
}

interface Connection {
  close(): Promise<void>;
}

/** One connection over the WebSocket transport directly, to the namespace `/plugin`. */
function openConnection({ host, connectTimeoutMs }: HubSocketOptions, events: ConnectionEvents): Connection {
  const manager = new Manager(host, { transports: ["websocket"], reconnection: false, autoConnect: false, timeout: connectTimeoutMs });
  const socket = manager.socket("/plugin");
  let over = false;

  const lost = (reason: string) => {
    if (over) return;
    over = true;
    clearTimeout(deadline);
    socket.disconnect();
    events.lost(reason);
  };
  const deadline = setTimeout(() => lost("Hub did not answer in time"), connectTimeoutMs);

  socket.on("connect", () => {
    if (over) return;
    clearTimeout(deadline);
    events.connected(socket);
  });
  socket.on("connect_error", (error) => lost(reasonOf(error)));
  socket.on("disconnect", (reason) => lost(reason));
  // A refusal closes the manager before it is told why.
  manager.on("close", (reason) => queueMicrotask(() => lost(reason)));
  manager.on("ping", () => {
    if (!over) events.pinged();
  });
  socket.on("plugin", (...args: unknown[]) => {
    const last = args.at(-1);
    const ack = typeof last === "function" ? () => void last() : undefined;
    events.plugin(args[0], ack);
  });
  socket.connect();

  return {
    close: () =>
      new Promise((resolve) => {
        if (over) return resolve();
        const flushed = setTimeout(resolve, FLUSH_MS);
        manager.engine.once("close", () => {
          clearTimeout(flushed);
          resolve();
        });
        lost("we stopped");
      }),
  };
}

/** What the library only calls a "websocket error" has its cause in the event that it came with. */
function reasonOf(error: Error): string {
  const event = "description" in error ? asFields(error.description) : undefined;
  const cause = event?.message || asFields(event?.error)?.code;
  return typeof cause === "string" ? `${error.message}: ${cause}` : error.message;
}
