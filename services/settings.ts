/** From declared environment keys to the options of each service: shared by the commands that start them. */
import { hostname } from "node:os";
import { filterKeys, filterLimits, imageSettings } from "./filter/config.js";
import { gatewayKeys, gatewaySettings, liveHubSettings } from "./gateway/config.js";
import { createLiveHub } from "./gateway/live-hub.js";
import { packagerIdOfHost, packagerKeys } from "./packager/config.js";
import { packagerIdOn } from "./packager/volume.js";
import { rasterizerKeys, rasterizerSettings } from "./rasterizer/config.js";
import type { Config } from "./runtime/config.js";
import { blobKeys, brokerKeys, busKeys, dataKeys, processKeys, workerKeys } from "./runtime/keys.js";
import type { Logger } from "./runtime/log.js";

/** The keys of every process that runs services. */
export const commonKeys = { ...processKeys, ...busKeys, ...dataKeys, ...blobKeys };

/** The keys of every process that may reach others. */
export const serverKeys = { ...commonKeys, ...brokerKeys };

/** The keys of what works on assets: the same offline. */
export const workKeys = { ...commonKeys, ...workerKeys, ...filterKeys, ...rasterizerKeys, ...packagerKeys };

/** The keys of all roles in one process. */
export const allKeys = { ...workKeys, ...serverKeys, ...gatewayKeys };

type WorkConfig = Config<typeof workKeys>;

export function filterSettings(config: Config<typeof filterKeys & typeof workerKeys & typeof processKeys>) {
  const { concurrency, unknownRun: unknownRunMs, drainMs } = config;
  return { concurrency, limits: filterLimits(config), images: imageSettings(config), unknownRunMs, drainMs };
}

export function rasterizerOptions(config: Config<typeof rasterizerKeys & typeof workerKeys & typeof processKeys>) {
  return { ...rasterizerSettings(config), concurrency: config.concurrency, drainMs: config.drainMs };
}

/**
 * The configuration with the id of the packager on its volume, which need not be configured.
 * @throws ConfigError when it is configured otherwise
 */
export async function withPackagerId<C extends Config<typeof packagerKeys & typeof dataKeys>>(config: C): Promise<C> {
  return { ...config, packagerId: await packagerIdOn(config.dataDir, config.packagerId, packagerIdOfHost(hostname())) };
}

export function packagerSettings(config: Config<typeof packagerKeys & typeof dataKeys>, allowFileTargets: boolean) {
  const { packagerId, dataDir, archivesAtOnce, archiveLimit, uploadTimeoutMs, uploadAttempts, unknownKeepMs } = config;
  return {
    packagerId,
    dataDir,
    allowFileTargets,
    archivesAtOnce,
    archiveLimit,
    uploadTimeoutMs,
    uploadAttempts,
    unknownKeepMs,
  };
}

/**
 * Filter, rasterizer and packager of one process. They share its cores: filtering an asset costs less than half of painting it, so half the
 * threads do.
 */
export function workSettings(config: WorkConfig, { allowFileTargets }: { readonly allowFileTargets: boolean }) {
  return {
    filter: { ...filterSettings(config), concurrency: Math.ceil(config.concurrency / 2) },
    rasterizer: rasterizerOptions(config),
    packager: packagerSettings(config, allowFileTargets),
  };
}

/** The gateway on a real Hub. */
export function liveGatewaySettings(
  config: Config<typeof gatewayKeys & typeof dataKeys>,
  options: { readonly volatileBus: boolean; readonly log: Logger },
) {
  return {
    ...gatewaySettings(config),
    hub: createLiveHub(liveHubSettings(config), options.log),
    dataDir: config.dataDir,
    volatileBus: options.volatileBus,
  };
}
