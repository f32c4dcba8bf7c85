/** The gateway's environment keys. Keys that services share are declared in services/runtime/keys.ts. */
import { bytes, type Config, duration, integer, type Keys, oneOf, text, url } from "../runtime/config.js";
import { type LiveHubConfig, liveHubDefaults } from "./live-hub.js";
import type { GatewayOptions } from "./options.js";
import { defaultTiming } from "./timing.js";

const GIB = 2 ** 30;

export const gatewayKeys = {
  host: url({ env: "HOST", meaning: "Hub's socket host, as https://host." }, ["https", "http"]),
  apiHost: url({ env: "API_HOST", meaning: "Hub's REST host, as https://host; empty: the same as HOST.", fallback: "" }, ["https", "http"]),
  pluginId: text({ env: "PLUGIN_ID", meaning: "The plugin's id, from Hub." }),
  pluginSecret: text({ env: "PLUGIN_SECRET", meaning: "The plugin's secret, from Hub.", secret: true }),
  connector: oneOf(
    {
      env: "CONNECTOR",
      meaning: "WS: the gateway dials Hub. REST: Hub calls the gateway on PORT.",
      fallback: "WS",
    },
    ["WS", "REST"],
  ),
  listenHost: text({ env: "LISTEN_HOST", meaning: "Address that the REST connector and gRPC listen on.", fallback: "0.0.0.0" }),
  port: integer({ env: "PORT", meaning: "Port that the REST connector listens on.", fallback: "8080" }, { min: 0, max: 65_535 }),
  postAnswer: oneOf(
    {
      env: "POST_ANSWER",
      meaning: "When the REST connector answers POST /plugin: accepted (the session is stored) or result (Hub has its result).",
      fallback: "accepted",
    },
    ["accepted", "result"],
  ),
  grpcPort: integer(
    { env: "GRPC_PORT", meaning: "Port that gRPC is served on to filters and packagers; 0: a free one.", fallback: "7070" },
    { min: 0, max: 65_535 },
  ),
  gatewayId: text({
    env: "GATEWAY_ID",
    meaning: "Names this gateway to packagers; the same after every restart on its volume. Empty: made of PLUGIN_ID.",
    fallback: "",
  }),
  stateKey: text({
    env: "STATE_KEY",
    meaning: "Long random text that stored sessions, their API keys and results are encrypted with; empty: not encrypted.",
    fallback: "",
    secret: true,
  }),
  sessionWindow: integer(
    {
      env: "SESSION_WINDOW",
      meaning: "Assets of a session that may be between publish and outcome: smaller is fairer between sessions.",
      fallback: "512",
    },
    { min: 1, max: 100_000 },
  ),
  globalWindow: integer(
    {
      env: "GLOBAL_WINDOW",
      meaning:
        "Assets of all sessions of this gateway that may be between publish and outcome: sessions at work share it equally, none has more than " +
        "SESSION_WINDOW, and none less than 16.",
      fallback: "2048",
    },
    { min: 1, max: 1_000_000 },
  ),
  sessionWindowBytes: bytes(
    {
      env: "SESSION_WINDOW_BYTES",
      meaning: "Bytes of a session's rows that may be between publish and outcome; one row is always allowed.",
      fallback: "64M",
    },
    { min: 1, max: 64 * GIB },
  ),
  maxSessions: integer(
    { env: "MAX_SESSIONS", meaning: "Sessions that run at once; more wait their turn and are told so.", fallback: "8" },
    { min: 1, max: 10_000 },
  ),
  exportLimit: bytes(
    { env: "EXPORT_LIMIT", meaning: "Largest export, in bytes of its text; the download may not be larger either.", fallback: "64G" },
    { min: 1024, max: 16_384 * GIB },
  ),
  exportRatioLimit: integer(
    {
      env: "EXPORT_RATIO_LIMIT",
      meaning: "How many times larger an export's text may be than what it was compressed to (against zip bombs).",
      fallback: "1000",
    },
    { min: 1, max: 1_000_000 },
  ),
  rowLimit: bytes(
    { env: "ROW_LIMIT", meaning: "Longest row of an export, in bytes; the asset of a longer one is rejected.", fallback: "32M" },
    { min: 1024, max: GIB },
  ),
  exportTimeout: duration(
    { env: "EXPORT_TIMEOUT", meaning: "How long Hub may take to pack an export.", fallback: "60m" },
    { min: "1s", max: "24h" },
  ),
  hubTimeout: duration(
    {
      env: "HUB_TIMEOUT",
      meaning: "How long Hub may take for any other call, and how long the download of an export may pass without a byte.",
      fallback: "60s",
    },
    { min: "1s", max: "1h" },
  ),
  hubAttempts: integer(
    {
      env: "HUB_ATTEMPTS",
      meaning: "How often a call to Hub is tried, with growing pauses, before its session is told of the trouble and waits.",
      fallback: "4",
    },
    { min: 1, max: 100 },
  ),
  hubPause: duration(
    {
      env: "HUB_LONGEST_PAUSE",
      meaning: "Longest pause before the gateway dials Hub's socket again; it begins with a second and doubles.",
      fallback: "30s",
    },
    { min: "1s", max: "1h" },
  ),
  stallTimeout: duration(
    {
      env: "STALL_TIMEOUT",
      meaning: "A session without progress for so long has its missing assets published again, three times at the most.",
      fallback: "5m",
    },
    { min: "1s", max: "24h" },
  ),
  silenceTimeout: duration(
    {
      env: "SILENCE_TIMEOUT",
      meaning: "A packager that has been silent for so long loses its sessions to another one, which begins them anew.",
      fallback: "15m",
    },
    { min: "1s", max: "24h" },
  ),
  giveUpTimeout: duration(
    {
      env: "GIVE_UP_TIMEOUT",
      meaning: "A session without any progress for so long ends with an error, whatever it waits for.",
      fallback: "6h",
    },
    { min: "1s", max: "720h" },
  ),
  tracedAssets: integer(
    {
      env: "TRACED_ASSETS",
      meaning:
        "About so many assets of a session leave spans in its trace, besides those that are rejected; OTEL_EXPORTER_OTLP_ENDPOINT turns tracing on.",
      fallback: "40",
    },
    { min: 0, max: 1_000_000 },
  ),
} satisfies Keys;

/** What the gateway is started with because of these keys. */
export function gatewaySettings(
  config: Config<typeof gatewayKeys>,
): Pick<GatewayOptions, "plugin" | "gatewayId" | "stateKey" | "maxSessions" | "credits" | "exportLimits" | "tracedAssets" | "timing"> {
  return {
    plugin: config.pluginId,
    gatewayId: config.gatewayId || `gateway-${config.pluginId}`,
    stateKey: config.stateKey || undefined,
    maxSessions: config.maxSessions,
    credits: { window: config.sessionWindow, globalWindow: config.globalWindow, maxBytes: config.sessionWindowBytes },
    exportLimits: { maxEntryBytes: config.exportLimit, maxRatio: config.exportRatioLimit, maxLineBytes: config.rowLimit },
    tracedAssets: config.tracedAssets,
    timing: { ...defaultTiming, stall: config.stallTimeout, silence: config.silenceTimeout, giveUp: config.giveUpTimeout },
  };
}

/** How the gateway reaches a real Hub, and Hub the gateway. */
export function liveHubSettings(config: Config<typeof gatewayKeys>): LiveHubConfig {
  const { connector, host, pluginId, pluginSecret, listenHost, port, postAnswer, hubTimeout } = config;
  return {
    ...{ connector, host, apiHost: config.apiHost || host, pluginId, pluginSecret, listenHost, port, postAnswer },
    exportTimeoutMs: config.exportTimeout,
    connectTimeoutMs: Math.min(hubTimeout, liveHubDefaults.connectTimeoutMs),
    reconnect: { ...liveHubDefaults.reconnect, maxDelayMs: config.hubPause },
    rest: {
      callTimeoutMs: hubTimeout,
      idleTimeoutMs: hubTimeout,
      retries: { ...liveHubDefaults.rest.retries, attempts: config.hubAttempts },
    },
  };
}
