/** The WebSocket connector's server: socket.io namespace `/plugin` (docs/hub-protocol.md section 2). The only import of socket.io. */
import { timingSafeEqual } from "node:crypto";
import type { Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";
import { Server, type Socket } from "socket.io";
import { isObject } from "./contract.js";

export interface Heartbeat {
  /** The id that the plugin gave. */
  readonly id: string;
  /** Whether id and secret are the plugin's. A wrong pair gets no reply of any kind. */
  readonly valid: boolean;
  /** ms since 1970. */
  readonly at: number;
  /** Which connection it came on. */
  readonly socket: string;
}

/** How connections are ended: the TCP connection destroyed, the namespace left (`1/plugin,`), or the whole connection closed cleanly. */
export type CutKind = "tcp" | "namespace" | "clean";

/** How new connections are kept out: the handshake is refused, never answered, or answered when the time is over. */
export type RefusalKind = "refused" | "unanswered" | "delayed";

export interface PluginNamespace {
  readonly heartbeats: readonly Heartbeat[];
  /** Emits a session to the newest live connection that has authenticated; false when there is none. */
  deliver(payload: unknown): boolean;
  connected(): boolean;
  cut(kind: CutKind): void;
  /** Keeps out every new connection for `ms`. */
  refuse(ms: number, kind: RefusalKind): void;
  close(): Promise<void>;
}

export interface PluginNamespaceOptions {
  readonly pluginId: string;
  readonly pluginSecret: string;
  /** engine.io's ping interval in ms. */
  readonly pingInterval: number;
  readonly onConnection: (socket: string, connected: boolean) => void;
  /** Every text frame of a plugin as it came, engine.io's type left out: `2/plugin,["heartbeat",{...}]`. */
  readonly onFrame: (frame: string) => void;
  /** The URL of every WebSocket handshake. */
  readonly onHandshake: (url: string) => void;
  readonly onHeartbeat: (heartbeat: Heartbeat) => void;
  /** Any event of an authenticated connection but `heartbeat`, with its raw arguments. */
  readonly onEvent: (event: string, args: readonly unknown[]) => void;
  readonly onViolation: (violation: string) => void;
}

function sameSecret(given: unknown, expected: string): boolean {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Adds the namespace to an HTTP server that is about to listen. */
export function attachPluginNamespace(http: HttpServer, options: PluginNamespaceOptions): PluginNamespace {
  let refusedUntil = 0;
  let refusal: RefusalKind = "refused";
  const tcp = new Set<Duplex>();
  http.on("upgrade", (request, socket: Duplex) => {
    options.onHandshake(request.url ?? "");
    tcp.add(socket);
    socket.once("close", () => tcp.delete(socket));
  });
  const io = new Server(http, {
    transports: ["websocket"],
    serveClient: false,
    pingInterval: options.pingInterval,
    allowRequest: (_request, decide) => {
      const open = Date.now() >= refusedUntil;
      if (open || refusal === "refused") decide(null, open);
      else if (refusal === "delayed") setTimeout(() => decide(null, true), refusedUntil - Date.now());
    },
  });
  io.engine.on("connection", (raw) => {
    raw.on("packet", ({ type, data }: { type: string; data: unknown }) => {
      if (type === "message" && typeof data === "string") options.onFrame(data);
    });
  });
  io.use((_socket, next) => next(new Error("only the namespace /plugin is served")));

  const heartbeats: Heartbeat[] = [];
  // In order of connection: the last one is the newest.
  const authenticated = new Set<Socket>();
  const live = new Set<Socket>();

  const receive = (socket: Socket, event: string, args: readonly unknown[]) => {
    if (args.length !== 1) options.onViolation(`event ${event} has ${args.length} arguments; it should have 1`);
    if (event === "heartbeat") {
      const { id, secret } = isObject(args[0]) ? args[0] : {};
      const valid = id === options.pluginId && sameSecret(secret, options.pluginSecret);
      const heartbeat = { id: String(id), valid, at: Date.now(), socket: socket.id };
      heartbeats.push(heartbeat);
      if (valid) authenticated.add(socket);
      options.onHeartbeat(heartbeat);
    } else if (authenticated.has(socket)) {
      options.onEvent(event, args);
    } else {
      options.onViolation(`event ${event} came before a valid heartbeat on its connection`);
    }
  };

  io.of("/plugin").on("connection", (socket) => {
    live.add(socket);
    options.onConnection(socket.id, true);
    socket.onAny((event: string, ...args: unknown[]) => receive(socket, event, args));
    socket.on("disconnect", () => {
      live.delete(socket);
      authenticated.delete(socket);
      options.onConnection(socket.id, false);
    });
  });

  const newest = () => [...live].filter((socket) => authenticated.has(socket)).at(-1);
  return {
    heartbeats,
    deliver: (payload) => newest()?.emit("plugin", payload) ?? false,
    connected: () => newest() !== undefined,
    cut: (kind) => {
      if (kind === "tcp") for (const socket of [...tcp]) socket.destroy();
      else for (const socket of [...live]) socket.disconnect(kind === "clean");
    },
    refuse: (ms, kind) => {
      refusal = kind;
      refusedUntil = Date.now() + ms;
    },
    close: async () => {
      // Those whose handshake was never answered would stay.
      for (const socket of tcp) socket.destroy();
      await io.close();
    },
  };
}
