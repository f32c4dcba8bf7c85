/** Wires the gateway: Hub on one side, the bus and gRPC on the other, the store between them. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../runtime/errors.js";
import { serveGateway } from "../runtime/grpc.js";
import type { Logger } from "../runtime/log.js";
import type { Platform, Service } from "../runtime/service.js";
import { lockVolume } from "../runtime/volume-lock.js";
import { acceptSession } from "./accept-session.js";
import { createAnswers } from "./answer.js";
import { driveRun } from "./drive-run.js";
import { deleteExport } from "./export-store.js";
import { createGatewayCalls } from "./gateway-calls.js";
import type { GatewayOptions } from "./options.js";
import { createPackagers } from "./packagers.js";
import { readRows } from "./read-rows.js";
import { createRunKeeper } from "./run-keeper.js";
import { createProgressBook } from "./run-progress.js";
import { openRunStore, type RunStore } from "./run-store.js";
import { waitingForTurnText } from "./user-log.js";

export interface Gateway extends Service {
  /** The port that gRPC is served on. */
  readonly grpcPort: number;
}

const PRUNE_EVERY_MS = 3_600_000;

/**
 * Opens the store, takes up the runs in it, serves gRPC, then lets Hub in.
 * @throws Fatal when the volume is held by another process or its store can not be read; system errors of listening.
 */
export async function startGateway(platform: Platform, options: GatewayOptions): Promise<Gateway> {
  const folder = join(options.dataDir, "gateway");
  const exports = join(folder, "exports");
  const lock = await lockVolume(folder, { onLost: platform.onFatal });
  let store: RunStore | undefined;
  try {
    await mkdir(exports, { recursive: true, mode: 0o700 });
    store = openRunStore(join(folder, "runs"), options.stateKey, platform.onFatal);
    const closed = async () => {
      await store?.close();
      await lock.release();
    };
    return await startOn(store, exports, closed, platform, options);
  } catch (error) {
    await store?.close();
    await lock.release();
    throw error;
  }
}

async function startOn(
  store: RunStore,
  exports: string,
  close: () => Promise<void>,
  { bus, blobs, log, onFatal }: Platform,
  options: GatewayOptions,
): Promise<Gateway> {
  const { hub, gatewayId, timing } = options;
  const stopping = new AbortController();
  const book = createProgressBook(timing.now);
  const packagers = createPackagers({ now: timing.now, inSync: timing.inSync });
  const exportFile = (run: string) => join(exports, `${run}.ndjson`);
  const erase = async (run: string) => {
    await deleteExport(exportFile(run));
    await blobs.deleteRun(run);
  };
  const answers = createAnswers({ store, hub, erase, onEnded: (run) => book.bell(run).ring(), onFatal, log, timing });
  const tell: Parameters<typeof driveRun>[1]["tell"] = (run, { level, message }, verbose) => {
    const session = store.get(run)?.session;
    if (session && (verbose || level === "WARNING" || level === "ERROR")) hub.log(session, level, message);
  };
  const driveParts = {
    ...{ gatewayId, store, book, packagers, answers, hub, exportFile, timing, tell, onFatal, log },
    publish: (message: Parameters<typeof bus.publish>[0], signal: AbortSignal) => bus.publish(message, signal),
    readRows: (run: string, selection: Parameters<typeof readRows>[1], signal: AbortSignal) => readRows(exportFile(run), selection, signal),
    credits: options.credits,
    limits: options.exportLimits,
    busReady: () => bus.ready(),
    volatileBus: options.volatileBus,
    watchingSince: timing.now(),
  };
  const keeper = createRunKeeper({
    maxSessions: options.maxSessions,
    drive: (run, signal) => driveRun(run, driveParts, signal),
    onWait: ({ run }) => tell(run, { level: "INFO", message: waitingForTurnText(options.maxSessions) }, true),
    onLeft: (run) => book.forget(run),
  });

  await sweepExports(exports, store, log);
  for (const record of store.all()) {
    if (record.state === "ended") answers.deliver(record.run);
    else keeper.begin(record);
  }
  const calls = createGatewayCalls({ gatewayId, packagers, book, store, hub, answers, now: timing.now, signal: stopping.signal, log });
  const accept = async (payload: unknown) => {
    if (stopping.signal.aborted) throw new Error("the gateway is stopping; the session is left to its next start");
    await acceptSession(payload, { plugin: options.plugin, store, answers, begin: keeper.begin, now: timing.now, log });
  };
  const prune = () => store.prune(timing.now() - timing.keepResults).catch(onFatal);
  const pruning = setInterval(prune, PRUNE_EVERY_MS);
  pruning.unref();

  let listener: Awaited<ReturnType<typeof serveGateway>> | undefined;
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    clearInterval(pruning);
    stopping.abort(new Error("the gateway is stopping"));
    // Runs are let go of first: what fails because Hub's end closes must not end a session.
    await keeper.stop();
    await answers.stop();
    await hub.stop();
    await listener?.close();
  };
  try {
    await prune();
    listener = await serveGateway(calls, options.grpc);
    await hub.start(accept);
  } catch (error) {
    await stop();
    throw error;
  }
  log.info({ gateway: gatewayId, grpcPort: listener.port, runs: store.active().length }, "the gateway is up");
  return {
    grpcPort: listener.port,
    notReady: () => (!hub.connected() ? "no connection to Hub" : !bus.ready() ? "the bus can not be reached" : undefined),
    stop() {
      stopped ??= stop().finally(close);
      return stopped;
    },
  };
}

/** Exports of runs that are confirmed or unknown were left behind by a process that was killed while it erased them. */
async function sweepExports(exports: string, store: RunStore, log: Logger): Promise<void> {
  const needed = (run: string) => {
    const record = store.get(run);
    return record !== undefined && !(record.state === "ended" && record.end.confirmedAt !== undefined);
  };
  const runs = new Set((await readdir(exports)).map((file) => file.split(".")[0] ?? ""));
  for (const run of runs) {
    if (needed(run)) continue;
    await deleteExport(join(exports, `${run}.ndjson`)).catch((error: unknown) => {
      log.warn({ run, error: describeError(error) }, "an export that is no longer needed could not be deleted");
    });
  }
}
