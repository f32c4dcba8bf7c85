/**
 * A simulated Ango Hub on 127.0.0.1: what a plugin sees of Hub, over real sockets, with seams for faults. It knows the protocol of
 * docs/hub-protocol.md and nothing of Maskline.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bucket, createBucket } from "./bucket.js";
import { isObject, type LogRecord, logProblem, type PluginResult, resultProblem } from "./contract.js";
import { type Exchange, type Fault, type RequestName, sendFailure, sendFault } from "./http-answers.js";
import { attachPluginNamespace, type CutKind, type Heartbeat, type PluginNamespace, type RefusalKind } from "./plugin-namespace.js";
import { createRest, type Rest, requestName, type SimulatedProject } from "./rest.js";
import { createSessions, type SessionHandle, type Sessions } from "./sessions.js";

/** Everything that reaches the simulator, as it happens. */
export type HubEvent =
  | { readonly connection: { readonly socket: string; readonly connected: boolean } }
  | { readonly heartbeat: Heartbeat }
  | { readonly request: { readonly name: RequestName; readonly method: string } }
  | { readonly log: LogRecord }
  | { readonly response: PluginResult }
  /** How a plugin's server answered `POST /plugin`; status 0: it did not. */
  | { readonly posted: { readonly session: string; readonly status: number; readonly body: string } }
  | { readonly violation: string };

export interface HubSimulatorOptions {
  readonly projects: readonly SimulatedProject[];
  readonly pluginId: string;
  readonly pluginSecret: string;
  /** The REST key of the user who presses Run. */
  readonly apiKey: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** The address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** What others call it by, as https://host:port, where that is not the address it listens on. */
  readonly publicUrl?: string | undefined;
  /** engine.io's ping interval in ms; Hub's is taken to be the default, 25,000. */
  readonly pingInterval?: number;
  readonly faults?: {
    /** Asked before each HTTP request is answered; may take its time. Undefined: the normal answer. */
    readonly onRequest?: (name: RequestName, request: IncomingMessage) => Fault | undefined | Promise<Fault | undefined>;
    /** Seconds that presigned URLs live; default 3,600. 0: expired at once. */
    readonly urlLifetime?: (() => number) | undefined;
  };
  readonly onEvent?: (event: HubEvent) => void;
  /** Every text frame of a plugin as it came, with the secret in its heartbeats. */
  readonly onFrame?: (frame: string) => void;
  /** The URL of every WebSocket handshake. */
  readonly onHandshake?: (url: string) => void;
}

export interface RunOptions {
  readonly projectId: string;
  /** The text in the Config JSON box; default `{}`. */
  readonly configJSON?: string | null;
  readonly stage?: readonly string[] | null;
  readonly batches?: readonly string[] | null;
  /** An id that was run before delivers that session again. Default: a new one. */
  readonly session?: string;
  /** Further fields of the payload, or other values for the usual ones; undefined takes a field away. */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** Delivers with the REST connector: to the plugin's HTTP server at this address. Default: over the plugin's socket. */
  readonly pluginServer?: string;
}

export interface HubSimulator {
  readonly url: string;
  /** Presses Run. Waits up to 10 s for a plugin; throws when none is connected. */
  run(options: RunOptions): Promise<SessionHandle>;
  /** Waits until a plugin with the right secret is connected; throws after `ms` (default 10,000). */
  waitForPlugin(ms?: number): Promise<void>;
  readonly heartbeats: readonly Heartbeat[];
  /** Names of all HTTP requests so far, in order of arrival. */
  readonly requests: readonly RequestName[];
  /** Query parameters of every `/v2/export` call, in the order received. */
  readonly exports: Rest["exports"];
  /** Completed uploads, in order. */
  readonly uploads: Bucket["uploads"];
  /** What plugins did that the protocol does not allow. */
  readonly violations: readonly string[];
  /** Ends all sockets of plugins; default: the TCP connections are destroyed. */
  cutSockets(kind?: CutKind): void;
  /** Keeps out every new socket for that long; default: its handshake is refused. */
  refuseSockets(ms: number, kind?: RefusalKind): void;
  /** Ends everything, the stored objects too. Open sessions' results reject. */
  close(): Promise<void>;
}

const PLUGIN_WAIT_MS = 10_000;
const POLL_MS = 10;

/** Starts a simulated Hub, by default on a free port of 127.0.0.1. */
export async function startHubSimulator(options: HubSimulatorOptions): Promise<HubSimulator> {
  const { onEvent = () => undefined } = options;
  const folder = await mkdtemp(join(tmpdir(), "maskline-hub-"));
  const sessions = createSessions();
  const violations: string[] = [];
  const requests: RequestName[] = [];
  const violation = (text: string) => {
    violations.push(text);
    onEvent({ violation: text });
  };
  const inbox = createInbox(sessions, onEvent, violation);

  const http = createServer();
  const namespace = attachPluginNamespace(http, {
    pluginId: options.pluginId,
    pluginSecret: options.pluginSecret,
    pingInterval: options.pingInterval ?? 25_000,
    onConnection: (socket, connected) => onEvent({ connection: { socket, connected } }),
    onHandshake: (url) => options.onHandshake?.(url),
    onFrame: (frame) => options.onFrame?.(frame),
    onHeartbeat: (heartbeat) => onEvent({ heartbeat }),
    onEvent: (event, [payload]) => {
      if (event === "log") inbox.log(payload);
      else if (event === "response") inbox.response(payload);
      else violation(`event ${event} is not of the protocol`);
    },
    onViolation: violation,
  });
  const listening = await listen(http, options.port ?? 0, options.host ?? "127.0.0.1");
  const url = options.publicUrl ?? listening;
  const bucket = createBucket(folder, url, options.faults?.urlLifetime ?? (() => 3600));
  const { projects, apiKey } = options;
  const rest = createRest({ projects, apiKey, origin: url, bucket, onLog: inbox.log, onResponse: inbox.response });
  http.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const target = new URL(request.url ?? "/", url);
    // socket.io listens on the same server and answers what is its own.
    if (target.pathname.startsWith("/socket.io/")) return;
    const name = requestName(request.method ?? "", target.pathname);
    if (name) {
      requests.push(name);
      onEvent({ request: { name, method: request.method ?? "" } });
    }
    void answer({ request, response, url: target, cut: false }, name, rest, options.faults?.onRequest);
  });

  const deliver = createDelivery(options, namespace, onEvent);
  return {
    url,
    heartbeats: namespace.heartbeats,
    requests,
    exports: rest.exports,
    uploads: bucket.uploads,
    violations,
    waitForPlugin: (ms = PLUGIN_WAIT_MS) => waitForPlugin(namespace, ms),
    run: async (run) => {
      const handle = sessions.open(run.session ?? randomBytes(12).toString("hex"));
      await deliver(handle.session, run);
      return handle;
    },
    cutSockets: (kind = "tcp") => namespace.cut(kind),
    refuseSockets: (ms, kind = "refused") => namespace.refuse(ms, kind),
    close: async () => {
      sessions.close();
      http.closeAllConnections();
      await namespace.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function listen(http: Server, port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, host, () => resolve(`http://127.0.0.1:${(http.address() as AddressInfo).port}`));
  });
}

/** Takes logs and results of either connector: checks them, files them under their session, tells the listener. */
function createInbox(sessions: Sessions, onEvent: (event: HubEvent) => void, violation: (text: string) => void) {
  return {
    log: (payload: unknown) => {
      const problem = logProblem(payload);
      if (problem) violation(problem);
      if (!isObject(payload)) return;
      const record = payload as LogRecord;
      if (!sessions.log(record)) violation(`a log record names the unknown session ${JSON.stringify(record.session)}`);
      onEvent({ log: record });
    },
    response: (payload: unknown) => {
      const problem = resultProblem(payload);
      if (problem) violation(problem);
      if (!isObject(payload)) return;
      const result = payload as unknown as PluginResult;
      if (!sessions.result(result)) violation(`a result names the unknown session ${JSON.stringify(result.session)}`);
      onEvent({ response: result });
    },
  };
}

async function answer(
  exchange: Exchange,
  name: RequestName | undefined,
  rest: Rest,
  onRequest: NonNullable<HubSimulatorOptions["faults"]>["onRequest"],
): Promise<void> {
  try {
    if (name === undefined) {
      sendFailure(exchange, 404, `Cannot ${exchange.request.method} ${exchange.url.pathname}`);
      return;
    }
    const fault = await onRequest?.(name, exchange.request);
    if (fault !== undefined && fault !== "cut") sendFault(exchange, fault);
    else await rest.handlers[name]({ ...exchange, cut: fault === "cut" });
  } catch (error) {
    if (exchange.response.headersSent) exchange.response.destroy();
    else sendFailure(exchange, 400, error instanceof Error ? error.message : String(error));
  }
}

async function waitForPlugin(namespace: PluginNamespace, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (!namespace.connected()) {
    if (Date.now() > end) throw new Error(`no plugin with the right id and secret has connected within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function createDelivery(
  { apiKey, projects, pluginSecret }: HubSimulatorOptions,
  namespace: PluginNamespace,
  onEvent: (event: HubEvent) => void,
) {
  return async (session: string, { projectId, configJSON = "{}", stage, batches, payload, pluginServer }: RunOptions): Promise<void> => {
    const message = {
      projectId,
      session,
      apiKey: projects.find(({ project }) => project._id === projectId)?.apiKey ?? apiKey,
      orgId: "5f0000000000000000000001",
      runBy: "5f0000000000000000000002",
      configJSON,
      ...(stage === undefined ? {} : { stage }),
      ...(batches === undefined ? {} : { batches }),
      ...payload,
    };
    if (pluginServer !== undefined) {
      await postSession(pluginServer, pluginSecret, message, (status, body) => onEvent({ posted: { session, status, body } }));
      return;
    }
    await waitForPlugin(namespace, PLUGIN_WAIT_MS);
    if (!namespace.deliver(message)) throw new Error("the plugin disconnected before the session could be delivered");
  };
}

/** The REST connector's delivery. A plugin may hold the answer until the session ends, so it is not waited for. */
async function postSession(
  pluginServer: string,
  secret: string,
  message: object,
  onAnswer: (status: number, body: string) => void,
): Promise<void> {
  const heartbeat = await fetch(new URL("/heartbeat", pluginServer), {
    headers: { Secret: secret },
    signal: AbortSignal.timeout(PLUGIN_WAIT_MS),
  });
  if (heartbeat.status !== 200) throw new Error(`the plugin's server answers ${heartbeat.status} to a heartbeat`);
  await heartbeat.body?.cancel();
  const headers = { Secret: secret, "Content-Type": "application/json" };
  fetch(new URL("/plugin", pluginServer), { method: "POST", headers, body: JSON.stringify(message) })
    .then(async (response) => onAnswer(response.status, await response.text()))
    .catch(() => onAnswer(0, ""));
}
