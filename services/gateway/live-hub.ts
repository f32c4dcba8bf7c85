/** The Hub end over the network: a connector for sessions, logs and answers, and the REST API for everything else. */
import { describeError } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import { redact } from "../runtime/redact.js";
import type { Connector } from "./connector.js";
import { createExportTurns } from "./export-turns.js";
import { createHttpReporter } from "./http-reporter.js";
import { type HubEnd, HubFailure, type LogLevel, type Session } from "./hub.js";
import { createHubRest, type HubRestOptions } from "./hub-rest.js";
import { createHubServer, type PostAnswer } from "./hub-server.js";
import { createHubSocket } from "./hub-socket.js";
import { logRecord } from "./log-record.js";
import { parseProject } from "./project.js";

export interface LiveHubConfig {
  readonly connector: "WS" | "REST";
  /** Hub's socket host: http(s)://host[:port]. */
  readonly host: string;
  /** Hub's REST host: http(s)://host[:port], without `/v2`. */
  readonly apiHost: string;
  readonly pluginId: string;
  readonly pluginSecret: string;
  /** Where the REST connector listens. */
  readonly listenHost: string;
  readonly port: number;
  readonly postAnswer: PostAnswer;
  /** For the export call: minutes. */
  readonly exportTimeoutMs: number;
  /** What tests shorten or watch; `liveHubDefaults` otherwise. */
  readonly heartbeatMs?: number;
  readonly connectTimeoutMs?: number;
  readonly reconnect?: { readonly minDelayMs: number; readonly firstDelayMs: number; readonly maxDelayMs: number };
  readonly rest?: Partial<Pick<HubRestOptions, "callTimeoutMs" | "idleTimeoutMs" | "retries">>;
  readonly onListening?: (port: number) => void;
}

export const liveHubDefaults = {
  heartbeatMs: 60_000,
  connectTimeoutMs: 20_000,
  reconnect: { minDelayMs: 200, firstDelayMs: 1_000, maxDelayMs: 30_000 },
  rest: { callTimeoutMs: 60_000, idleTimeoutMs: 60_000, retries: { attempts: 4, firstDelayMs: 1_000, maxDelayMs: 30_000 } },
} as const;

const EXPORT_TURN_TEXT =
  "Waiting: another session exports this project now, and Hub packs one export of a project at a time. This one goes on by itself.";

export function createLiveHub(config: LiveHubConfig, log: Logger): HubEnd {
  const { apiHost, exportTimeoutMs, pluginId, pluginSecret } = config;
  const rest = createHubRest({ apiHost, exportTimeoutMs, ...liveHubDefaults.rest, ...config.rest, secrets: [pluginSecret], log });
  const connector = createConnector(config, rest, log);
  const exportTurns = createExportTurns();
  const tell = (session: Session, level: LogLevel, message: string) => {
    const safe = redact(message, [session.apiKey, pluginSecret]);
    connector.log(session, logRecord(session, pluginId, level, safe));
  };
  return {
    start(accept) {
      if (isUnprotected(apiHost)) log.warn({}, "API_HOST is http, not https: the API keys of users travel unprotected");
      if (config.connector === "WS" && isUnprotected(config.host)) {
        log.warn({}, "HOST is http, not https: the plugin's secret travels unprotected");
      }
      return connector.start(accept);
    },
    connected: connector.connected,
    async project(session, signal) {
      const reply = await rest.project(session, signal);
      try {
        return parseProject(reply);
      } catch (error) {
        throw new HubFailure(`Reading the project failed: Hub's answer can not be understood. ${describeError(error)}`);
      }
    },
    fetchExport: (session, options, file, signal) =>
      exportTurns.within(
        session.projectId,
        () => rest.fetchExport(session, options, file, signal),
        signal,
        () => tell(session, "INFO", EXPORT_TURN_TEXT),
      ),
    uploadTarget: rest.uploadTarget,
    log: tell,
    progress: () => undefined,
    summary: () => undefined,
    answer: connector.answer,
    stop: connector.stop,
  };
}

function createConnector(config: LiveHubConfig, rest: ReturnType<typeof createHubRest>, log: Logger): Connector {
  const { host, pluginId, pluginSecret, listenHost, port, postAnswer, onListening } = config;
  if (config.connector === "REST") {
    const reporter = createHttpReporter(rest, log);
    return createHubServer({ listenHost, port, pluginSecret, postAnswer, reporter, log, ...(onListening ? { onListening } : {}) });
  }
  const { heartbeatMs = liveHubDefaults.heartbeatMs, connectTimeoutMs = liveHubDefaults.connectTimeoutMs } = config;
  const reconnect = config.reconnect ?? liveHubDefaults.reconnect;
  return createHubSocket({ host, pluginId, pluginSecret, heartbeatMs, connectTimeoutMs, reconnect, log });
}

function isUnprotected(host: string): boolean {
  const { protocol, hostname } = new URL(host);
  return protocol === "http:" && !["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}
