/** All services in this process, connected to whatever Hub is at an address, with short waits. */
import { join } from "node:path";
import { startAll } from "../../services/all.js";
import { liveHubSettings } from "../../services/gateway/config.js";
import { createLiveHub } from "../../services/gateway/live-hub.js";
import { createFileBlobs } from "../../services/runtime/blob/file.js";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { claimCheck, DEFAULT_INLINE_BYTES } from "../../services/runtime/bus/claim-check.js";
import { createMemoryBus } from "../../services/runtime/bus/memory.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";
import { allKeys, liveGatewaySettings, workSettings } from "../../services/settings.js";

export const CONNECTORS = ["WS", "REST"] as const;
export type ConnectorName = (typeof CONNECTORS)[number];

export interface ServicesOptions {
  readonly connector: ConnectorName;
  /** Hub's address. */
  readonly hub: string;
  readonly pluginId: string;
  readonly pluginSecret: string;
  readonly dataDir: string;
  /** Where Hub calls, on the REST connector; 0: a free one. */
  readonly port: number;
  /** Every line of the log, at debug. */
  readonly onLine: (line: string) => void;
  /** Environment variables of the services. */
  readonly env?: Readonly<Record<string, string>>;
  readonly wrapBus?: (bus: Bus) => Bus;
  /** The address that filter and packager dial, given the gateway's. */
  readonly dial?: (address: string) => string;
  readonly grpcToken?: string;
  /** Of one call to Hub. */
  readonly callTimeoutMs?: number;
  readonly exportTimeoutMs?: number;
  /** Tries of one call; 3. */
  readonly attempts?: number;
}

export interface RunningServices {
  readonly port: number;
  stop(): Promise<void>;
}

const QUICK_RECONNECT = { minDelayMs: 5, firstDelayMs: 20, maxDelayMs: 200 };
const QUICK_RETRIES = { firstDelayMs: 5, maxDelayMs: 40 };

export async function startServices(options: ServicesOptions): Promise<RunningServices> {
  const { connector, dataDir, onLine, exportTimeoutMs = 20_000, callTimeoutMs = 5_000, attempts = 3 } = options;
  const env = {
    ...{ HOST: options.hub, PLUGIN_ID: options.pluginId, PLUGIN_SECRET: options.pluginSecret, CONNECTOR: connector },
    ...{ LISTEN_HOST: "127.0.0.1", PORT: String(options.port), CONCURRENCY: "1", DATA_DIR: dataDir, PACKAGER_ID: "p1" },
    ...{ MAX_SESSIONS: "100", UPLOAD_ATTEMPTS: "3" },
  };
  const config = readConfig(allKeys, { ...env, ...options.env });
  const log = createLogger("debug", onLine);
  const blobs = await createFileBlobs(join(dataDir, "blobs"));
  const memory = createMemoryBus({ maxMessages: 512, maxBytes: 2 ** 25 });
  const bus = claimCheck(options.wrapBus?.(memory) ?? memory, blobs, { inlineBytes: DEFAULT_INLINE_BYTES, log });
  let port = options.port;
  const hub = createLiveHub(
    {
      ...liveHubSettings(config),
      exportTimeoutMs,
      reconnect: QUICK_RECONNECT,
      connectTimeoutMs: 300,
      rest: { callTimeoutMs, idleTimeoutMs: callTimeoutMs, retries: { attempts, ...QUICK_RETRIES } },
      onListening: (listening) => {
        port = listening;
      },
    },
    log,
  );
  const gateway = liveGatewaySettings(config, { volatileBus: true, log });
  const timing = { ...gateway.timing, firstPause: 20, longestPause: 200 };
  const onFatal = (error: Error) => {
    throw error;
  };
  const services = await startAll(
    { bus, blobs, log, onFatal },
    {
      gateway: { ...gateway, timing, hub },
      grpcPort: 0,
      ...workSettings(config, { allowFileTargets: false }),
      ...(options.dial ? { dial: options.dial } : {}),
      ...(options.grpcToken === undefined ? {} : { grpcToken: options.grpcToken }),
    },
  );
  return {
    port,
    async stop() {
      await services.stop();
      await bus.close();
    },
  };
}
