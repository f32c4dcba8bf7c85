/** Starts one role, or all of them, from the environment, and runs it until it is told to stop. */
import { startAll } from "./all.js";
import { filterKeys } from "./filter/config.js";
import { startFilter } from "./filter/main.js";
import { gatewayKeys } from "./gateway/config.js";
import { startGateway } from "./gateway/main.js";
import { packagerKeys } from "./packager/config.js";
import { startPackager } from "./packager/main.js";
import { rasterizerKeys } from "./rasterizer/config.js";
import { startRasterizer } from "./rasterizer/main.js";
import { type Config, ConfigError, type Environment, type Keys, readConfig } from "./runtime/config.js";
import { connect } from "./runtime/connect.js";
import { connectGateway, type ListenOptions } from "./runtime/grpc.js";
import { readGrpcTls } from "./runtime/grpc-tls.js";
import { keepHeapsSmall, letHeapsGrow } from "./runtime/heap.js";
import { blobPlace, gatewayAddressKeys, grpcTokenKeys, workerKeys } from "./runtime/keys.js";
import { runProcess, type Starting, together } from "./runtime/lifecycle.js";
import { createLogger, type Logger } from "./runtime/log.js";
import type { Platform, Service } from "./runtime/service.js";
import { observedBus } from "./runtime/telemetry/observed-bus.js";
import { observeProcess } from "./runtime/telemetry/process-metrics.js";
import {
  allKeys,
  filterSettings,
  liveGatewaySettings,
  packagerSettings,
  rasterizerOptions,
  serverKeys,
  withPackagerId,
  workSettings,
} from "./settings.js";

export const ROLES = {
  gateway: "speaks Hub's plugin protocol and publishes the export",
  filter: "applies the rules and resolves classes",
  rasterizer: "paints masks",
  packager: "collects the masks, makes the zip and uploads it",
} as const;
export type Role = keyof typeof ROLES;

/** All four roles in one process. Resolves with the exit code. */
export function runAll(env: Environment): Promise<number> {
  letHeapsGrow();
  return run(readConfig(allKeys, env), async (platform, config) =>
    startAll(platform, {
      gateway: liveGatewaySettings(config, { volatileBus: config.bus === "memory", log: platform.log }),
      grpcPort: 0,
      ...workSettings(await withPackagerId(config), { allowFileTargets: false }),
    }),
  );
}

/** One role as a process of its own. Resolves with the exit code. */
export function runRole(role: Role, env: Environment): Promise<number> {
  switch (role) {
    case "gateway":
      return runAlone({ ...gatewayKeys, ...grpcTokenKeys }, env, (platform, config) => {
        const { log } = platform;
        const { listenHost: host, grpcPort: port, grpcToken: token } = config;
        const grpc: ListenOptions = { host, port, token, tls: readGrpcTls(config), log };
        return startGateway(platform, { ...liveGatewaySettings(config, { volatileBus: false, log }), grpc });
      });
    case "filter":
      return runAlone({ ...filterKeys, ...workerKeys, ...gatewayAddressKeys, ...grpcTokenKeys }, env, (platform, config) =>
        withGateways(config, (gateways) => startFilter(platform, { ...filterSettings(config), gateways })),
      );
    case "rasterizer":
      return runAlone({ ...rasterizerKeys, ...workerKeys }, env, (platform, config) =>
        startRasterizer(platform, rasterizerOptions(config)),
      );
    case "packager":
      return runAlone({ ...packagerKeys, ...gatewayAddressKeys, ...grpcTokenKeys }, env, (platform, config) =>
        withGateways(config, async (gateways) =>
          startPackager(platform, { ...packagerSettings(await withPackagerId(config), false), gateways }),
        ),
      );
  }
}

/** A role alone needs a bus that reaches other processes. */
function runAlone<K extends Keys>(
  keys: K,
  env: Environment,
  start: (platform: Platform, config: Config<K & typeof serverKeys>) => Promise<Service>,
): Promise<number> {
  const config: Config<K & typeof serverKeys> = readConfig({ ...keys, ...serverKeys }, env);
  const { bus }: Config<typeof serverKeys> = config;
  if (bus === "memory") {
    throw new ConfigError([
      'BUS is "memory", which lives in one process: run "maskline all", or choose a bus that reaches other processes',
    ]);
  }
  keepHeapsSmall();
  return run(config, start);
}

function run<C extends Config<typeof serverKeys>>(config: C, start: (platform: Platform, config: C) => Promise<Service>): Promise<number> {
  const log = createLogger(config.logLevel);
  return runProcess({
    log,
    healthPort: config.healthPort,
    drainMs: config.drainMs,
    start: async (onFatal, starting) => startOn(config, log, { onFatal, starting }, (platform) => start(platform, config)),
  });
}

async function startOn(
  config: Config<typeof serverKeys>,
  log: Logger,
  { onFatal, starting }: { readonly onFatal: (error: Error) => void; readonly starting: Starting },
  start: (platform: Platform) => Promise<Service>,
): Promise<Service> {
  const choice = config.bus === "memory" ? config.bus : { name: config.bus, config, starting };
  const { bus: connected, blobs } = await connect({ bus: choice, blobs: blobPlace(config), log });
  const bus = observedBus(connected, { system: config.bus === "memory" ? "maskline_memory" : config.bus });
  const endFigures = observeProcess(config.dataDir);
  const close = () => {
    endFigures();
    return bus.close();
  };
  try {
    const service = await start({ bus, blobs, log, onFatal });
    return together([{ notReady: () => undefined, stop: close }, service]);
  } catch (error) {
    await close();
    throw error;
  }
}

async function withGateways(
  config: Config<typeof gatewayAddressKeys & typeof grpcTokenKeys>,
  start: (gateways: readonly ReturnType<typeof connectGateway>[]) => Promise<Service>,
): Promise<Service> {
  const tls = readGrpcTls(config);
  const gateways = config.gatewayAddrs.map((address) => connectGateway(address, config.grpcToken, tls));
  const close = async () => {
    for (const gateway of gateways) gateway.close();
  };
  try {
    return together([{ notReady: () => undefined, stop: close }, await start(gateways)]);
  } catch (error) {
    await close();
    throw error;
  }
}
