/**
 * Several plugins, each with its gateway and its Hub, and several packagers, on one bus that outlives them all: as in a cluster, but in one
 * process, with times that a test can wait for.
 */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startFilter } from "../../services/filter/main.js";
import { startGateway } from "../../services/gateway/main.js";
import { startPackager } from "../../services/packager/main.js";
import { startRasterizer } from "../../services/rasterizer/main.js";
import { createFileBlobs } from "../../services/runtime/blob/file.js";
import type { OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { createMemoryBus } from "../../services/runtime/bus/memory.js";
import { readConfig } from "../../services/runtime/config.js";
import { describeError } from "../../services/runtime/errors.js";
import { connectGateway } from "../../services/runtime/grpc.js";
import { together } from "../../services/runtime/lifecycle.js";
import { createLogger } from "../../services/runtime/log.js";
import type { Service } from "../../services/runtime/service.js";
import { allKeys, filterSettings, liveGatewaySettings, packagerSettings, rasterizerOptions } from "../../services/settings.js";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { type CuttableProxy, cuttableProxy } from "../support/cuttable.js";
import { PROJECT } from "./pipeline.js";

const TOKEN = "several-token";

/** Shorter by two orders of magnitude. */
const QUICK = { silence: 3_000, inSync: 1_000, stall: 3_000, tick: 50, firstPause: 20, longestPause: 200 };
const SYNC_MS = 200;

export interface Plugin {
  readonly gatewayId: string;
  readonly hub: HubSimulator;
  /** Between this gateway and everyone who calls it. */
  readonly connection: CuttableProxy;
  press(): Promise<SessionHandle>;
}

export interface Several {
  readonly plugins: readonly [Plugin, Plugin];
  /** Everything published, in order. */
  readonly published: readonly OutgoingMessage[];
  /** Lets so many outcomes of each run through; further ones wait at the bus. All, at first. */
  letThrough(outcomes: number): void;
  /** Why parts of it could not go on. */
  readonly fatal: string[];
  /** Starts the packager of that id, on the volume of that name. */
  startPackager(id: string, volume?: string): Promise<void>;
  /** The runs that lie on the volume of that name. */
  spooled(volume: string): Promise<readonly string[]>;
  /** Stops every packager of that id. */
  stopPackager(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Two plugins, a filter, a rasterizer, and no packager yet. */
export async function startSeveral(rows: readonly object[], env: Readonly<Record<string, string>> = {}): Promise<Several> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-several-"));
  const log = createLogger("silent");
  const memory = createMemoryBus({ maxMessages: 2_000, maxBytes: 2 ** 26 });
  const published: OutgoingMessage[] = [];
  let most = Number.POSITIVE_INFINITY;
  const outcomes = new Map<string, number>();
  const bus = {
    ...memory,
    publish: async (message: OutgoingMessage, signal?: AbortSignal) => {
      published.push(message);
      if (message.queue.startsWith("out.")) {
        while ((outcomes.get(message.key) ?? 0) >= most) await sleep(10, undefined, { signal });
        outcomes.set(message.key, (outcomes.get(message.key) ?? 0) + 1);
      }
      await memory.publish(message, signal);
    },
  };
  const blobs = await createFileBlobs(join(folder, "blobs"));
  const fatal: string[] = [];
  const platform = { bus, blobs, log, onFatal: (error: Error) => void fatal.push(describeError(error)) };
  const configOf = (own: Readonly<Record<string, string>>) => {
    const base = { HOST: "http://unused", PLUGIN_ID: "unused", PLUGIN_SECRET: "unused", CONCURRENCY: "1" };
    return readConfig(allKeys, { ...base, ...env, ...own });
  };
  const started: Service[] = [];
  const packagers = new Map<string, Service[]>();

  async function startPlugin(name: string): Promise<Plugin> {
    const identity = { pluginId: `plugin-${name}`, pluginSecret: `secret-of-${name}` };
    const hub = await startHubSimulator({ projects: [{ project: PROJECT, rows }], ...identity, apiKey: "key", pingInterval: 200 });
    started.push({ notReady: () => undefined, stop: () => hub.close() });
    const dataDir = join(folder, name);
    await mkdir(dataDir);
    const { pluginId: PLUGIN_ID, pluginSecret: PLUGIN_SECRET } = identity;
    const config = configOf({ HOST: hub.url, PLUGIN_ID, PLUGIN_SECRET, DATA_DIR: dataDir, GATEWAY_ID: name });
    const settings = liveGatewaySettings(config, { volatileBus: false, log });
    const grpc = { host: "127.0.0.1", port: 0, token: TOKEN };
    const gateway = await startGateway(platform, { ...settings, timing: { ...settings.timing, ...QUICK }, grpc });
    started.push(gateway);
    const connection = await cuttableProxy(() => `127.0.0.1:${gateway.grpcPort}`);
    started.push({ notReady: () => undefined, stop: () => connection.close() });
    const press = () => hub.run({ projectId: PROJECT._id, stage: [], configJSON: '{"verbose_frequency": 10}' });
    return { gatewayId: name, hub, connection, press };
  }

  /** A service with connections of its own to all gateways. */
  async function withGateways(start: (gateways: ReturnType<typeof connectGateway>[]) => Promise<Service>): Promise<Service> {
    const gateways = plugins.map(({ connection }) => connectGateway(connection.address, TOKEN));
    const close = async () => {
      for (const gateway of gateways) gateway.close();
    };
    return together([{ notReady: () => undefined, stop: close }, await start(gateways)]);
  }

  const plugins = [await startPlugin("gateway-a"), await startPlugin("gateway-b")] as const;
  const config = configOf({});
  started.push(await startRasterizer(platform, rasterizerOptions(config)));
  started.push(await withGateways((gateways) => startFilter(platform, { ...filterSettings(config), gateways })));

  const stopPackager = async (id: string) => {
    const services = packagers.get(id) ?? [];
    packagers.delete(id);
    await Promise.all(services.map((service) => service.stop()));
  };
  return {
    ...{ plugins, published, fatal, stopPackager },
    spooled: (volume) => readdir(join(folder, `volume-${volume}`, "packager", "runs")),
    letThrough: (count) => {
      most = count;
    },
    async startPackager(id, volume = id) {
      const dataDir = join(folder, `volume-${volume}`);
      const settings = packagerSettings(configOf({ DATA_DIR: dataDir, PACKAGER_ID: id }), false);
      const service = await withGateways((gateways) => startPackager(platform, { ...settings, gateways, syncEveryMs: SYNC_MS }));
      packagers.set(id, [...(packagers.get(id) ?? []), service]);
    },
    async close() {
      most = Number.POSITIVE_INFINITY;
      for (const id of [...packagers.keys()]) await stopPackager(id);
      await together(started).stop();
      await memory.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
