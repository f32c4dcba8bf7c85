/** The packager: spools every outcome of the runs pinned to it, packs complete runs, and tells their gateways. */
import { join } from "node:path";
import { pipeline } from "../../proto/pipeline.js";
import { describeError, Fatal } from "../runtime/errors.js";
import type { GatewayConnection } from "../runtime/gateway-calls.js";
import { putFile } from "../runtime/http.js";
import type { Platform, Service } from "../runtime/service.js";
import { lockVolume } from "../runtime/volume-lock.js";
import { type HeldRun, type HeldRuns, recoverRuns } from "./held-runs.js";
import { createPacker, type Packer } from "./pack-run.js";
import { observePackager } from "./packager-metrics.js";
import { createSpool, HELD_BYTES, HELD_OUTCOMES, stopSpooling } from "./spool-outcomes.js";
import { type SyncLoop, startSyncLoop } from "./sync-loop.js";
import { applyReply, runsOf, spooledRun } from "./sync-messages.js";
import { upload } from "./upload.js";
import { openVolume } from "./volume.js";

/** docs/delivery.md rule 18. */
const SYNC_EVERY_MS = 2_000;

export interface PackagerOptions {
  /** [A-Za-z0-9_-]; names the queue. See `packagerIdFrom`. */
  readonly packagerId: string;
  /** The volume is the folder `packager` in it. */
  readonly dataDir: string;
  /** One per gateway. Whoever made them closes them, after `stop`. */
  readonly gateways: readonly GatewayConnection[];
  /** Whether an archive may be "uploaded" to a `file://` target: for a gateway in this very process. */
  readonly allowFileTargets: boolean;
  readonly archivesAtOnce: number;
  readonly archiveLimit: number;
  readonly uploadTimeoutMs: number;
  readonly uploadAttempts: number;
  readonly unknownKeepMs: number;
  /** Every gateway hears of us at least so often; 2 s, and only tests change it. */
  readonly syncEveryMs?: number;
}

/**
 * Recovers the volume, then starts.
 * @throws Fatal when the volume is held by another process or can not be read.
 */
export async function startPackager(shared: Platform, options: PackagerOptions): Promise<Service> {
  const platform = { ...shared, log: shared.log.child({ service: "packager" }) };
  const root = join(options.dataDir, "packager");
  const lock = await lockVolume(root, { onLost: platform.onFatal, onWait: (reason) => platform.log.info({}, reason) });
  try {
    const volume = await openVolume(root, platform.log);
    const runs = await recoverRuns(volume, platform.log);
    const service = await wire(platform, options, runs, volume);
    let stopped: Promise<void> | undefined;
    return {
      notReady: service.notReady,
      stop() {
        stopped ??= service.stop().finally(() => lock.release());
        return stopped;
      },
    };
  } catch (error) {
    await lock.release();
    throw error instanceof Fatal ? error : new Fatal(`the packager can not start (${describeError(error)})`, { cause: error });
  }
}

async function wire(
  { bus, log, onFatal }: Platform,
  options: PackagerOptions,
  runs: HeldRuns,
  volume: { readonly ledgerId: string },
): Promise<Service> {
  const warnOfTwin = twinWarning(log);
  let syncs: readonly (SyncLoop & { readonly connection: GatewayConnection })[] = [];
  const tell = (run: HeldRun, urgency: "now" | "soon") => {
    for (const sync of syncs) if (sync.gateway() === undefined || sync.gateway() === run.gateway) sync.wake(urgency);
  };
  const packer: Packer = createPacker({
    gatewayOf: (gateway) => syncs.find((sync) => sync.gateway() === gateway)?.connection,
    createFolder: runs.createFolder,
    upload: (url, file, signal) => upload(url, file, { ...options, put: putFile, timeoutMs: options.uploadTimeoutMs }, signal),
    reload: (run) => runs.serially(async () => (run.gone.signal.aborted ? undefined : runs.reload(run))),
    archivesAtOnce: options.archivesAtOnce,
    archiveLimit: options.archiveLimit,
    uploadAttempts: options.uploadAttempts,
    onChange: tell,
    onFatal,
    log,
  });
  syncs = options.gateways.map((connection) => {
    const loop = startSyncLoop({
      address: connection.address,
      sync: (request) => connection.sync(request),
      request: (gateway) => {
        const told = runsOf(runs, gateway);
        return {
          request: {
            packager: options.packagerId,
            ledgerId: volume.ledgerId,
            runs: told.map(spooledRun),
            otherRuns: runs.all().length - told.length,
          },
          apply: async (reply) => {
            warnOfTwin(reply.gateway, connection.address);
            const urgency = await runs.serially(() => applyReply(reply, told, { runs, unknownKeepMs: options.unknownKeepMs, log }));
            for (const run of runs.all()) packer.lookAt(run);
            return urgency;
          },
        };
      },
      everyMs: options.syncEveryMs ?? SYNC_EVERY_MS,
      onFatal,
      log,
    });
    return { ...loop, connection };
  });

  const spool = createSpool({
    runs,
    onChange: (run) => {
      packer.lookAt(run);
      tell(run, "soon");
    },
    onFatal,
    log,
  });
  const stopPacking = async () => {
    endFigures();
    for (const sync of syncs) sync.stop();
    await packer.stop();
    await runs.close();
  };
  const endFigures = observePackager(runs);
  const queue = pipeline.assetOutcome.queue(options.packagerId);
  const consumption = await bus
    .consume(queue, { maxHeld: HELD_OUTCOMES, maxHeldBytes: HELD_BYTES, onFatal }, (delivery) => spool.deliver(delivery))
    .catch(async (error: unknown) => {
      await stopPacking();
      throw error;
    });

  return {
    notReady() {
      if (!bus.ready()) return "the bus";
      return syncs.some((sync) => sync.gateway() !== undefined) ? undefined : "an answer of a gateway";
    },
    async stop() {
      await stopSpooling(consumption, spool);
      await stopPacking();
    },
  };
}

/** Tells once of two gateways with the same id: what is meant for one of them would be asked of the other. */
function twinWarning(log: Platform["log"]): (gateway: string, address: string) => void {
  const addresses = new Map<string, Set<string>>();
  return (gateway, address) => {
    const known = addresses.get(gateway) ?? new Set();
    addresses.set(gateway, known);
    if (known.has(address)) return;
    known.add(address);
    if (known.size === 1) return;
    log.error({ gateway, addresses: [...known] }, "two addresses answer as the same gateway: each gateway needs its own GATEWAY_ID");
  };
}
