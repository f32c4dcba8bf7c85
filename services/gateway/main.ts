/** Wires the gateway: Hub on one side, the bus and gRPC on the other, the store between them. */
import { setMaxListeners } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describeError } from "../runtime/errors.js";
import { serveGateway } from "../runtime/grpc.js";
import type { Platform, Service } from "../runtime/service.js";
import { lockVolume } from "../runtime/volume-lock.js";
import { acceptSession } from "./accept-session.js";
import { createAnswers } from "./answer.js";
import { driveRun } from "./drive-run.js";
import { deleteExport } from "./export-store.js";
import { createGatewayCalls } from "./gateway-calls.js";
import { observeGateway } from "./gateway-metrics.js";
import { createGlobalCredits } from "./global-credits.js";
import { observedHub } from "./observed-hub.js";
import { createOperator } from "./operator.js";
import { DOOR_FILE } from "./operator-api.js";
import { type OperatorServer, serveOperator } from "./operator-server.js";
import type { GatewayOptions } from "./options.js";
import { createPackagers } from "./packagers.js";
import { readRows } from "./read-rows.js";
import { createRunKeeper } from "./run-keeper.js";
import { createProgressBook } from "./run-progress.js";
import { openRunStore, type RunStore } from "./run-store.js";
import { knowSession, traceIdOfSession } from "./session-trace.js";
import { sweepBlobs, sweepExports } from "./sweep.js";
import { waitingForTurnText, withTraceId } from "./user-log.js";

export interface Gateway extends Service {
  /** The port that gRPC is served on. */
  readonly grpcPort: number;
}

const PRUNE_EVERY_MS = 3_600_000;

/**
 * Opens the store, takes up the runs in it, serves gRPC, then lets Hub in.
 * @throws Fatal when the volume is held by another process, its store can not be read, or a port can not be had.
 */
export async function startGateway(shared: Platform, options: GatewayOptions): Promise<Gateway> {
  const platform = { ...shared, log: shared.log.child({ service: "gateway" }) };
  const folder = join(options.dataDir, "gateway");
  const lock = await lockVolume(folder, { onLost: platform.onFatal, onWait: (reason) => platform.log.info({}, reason) });
  let store: RunStore | undefined;
  try {
    await mkdir(exportsIn(folder), { recursive: true, mode: 0o700 });
    store = openRunStore(join(folder, "runs"), options.stateKey, platform.onFatal);
    const closed = async () => {
      await store?.close();
      await lock.release();
    };
    return await startOn(store, folder, closed, platform, options);
  } catch (error) {
    await store?.close();
    await lock.release();
    throw error;
  }
}

const exportsIn = (folder: string) => join(folder, "exports");

async function startOn(
  store: RunStore,
  folder: string,
  close: () => Promise<void>,
  { bus, blobs, log, onFatal }: Platform,
  options: GatewayOptions,
): Promise<Gateway> {
  const { gatewayId, timing } = options;
  const hub = observedHub(options.hub);
  const exports = exportsIn(folder);
  const stopping = new AbortController();
  // Every call that asks Hub for an upload target listens to it, and all sessions may ask at once.
  setMaxListeners(0, stopping.signal);
  const book = createProgressBook(timing.now);
  const packagers = createPackagers({ now: timing.now, inSync: timing.inSync });
  const exportFile = (run: string) => join(exports, `${run}.ndjson`);
  const erase = async (run: string) => {
    // Whoever still writes the export would leave it behind.
    await keeper.left(run);
    await deleteExport(exportFile(run));
    await blobs.deleteRun(run);
  };
  const onEnded = (run: string) => keeper.leave(run);
  const answers = createAnswers({ store, hub, erase, onEnded, onFatal, log, timing });
  const tell: Parameters<typeof driveRun>[1]["tell"] = (run, { level, message }, verbose) => {
    const session = store.get(run)?.session;
    if (session && (verbose || level === "WARNING" || level === "ERROR")) hub.log(session, level, message);
  };
  const driveParts = {
    ...{ gatewayId, store, book, packagers, answers, hub, exportFile, timing, tell, onFatal, log },
    publish: (message: Parameters<typeof bus.publish>[0], signal: AbortSignal) => bus.publish(message, signal),
    readRows: (run: string, selection: Parameters<typeof readRows>[1], signal: AbortSignal) => readRows(exportFile(run), selection, signal),
    credits: options.credits,
    globalCredits: createGlobalCredits(options.credits),
    tracedAssets: options.tracedAssets,
    limits: options.exportLimits,
    busReady: () => bus.ready(),
    volatileBus: options.volatileBus,
    watchingSince: timing.now(),
  };
  const keeper = createRunKeeper({
    maxSessions: options.maxSessions,
    drive: (run, signal) => driveRun(run, driveParts, signal),
    onWait: ({ run, session }) =>
      tell(run, { level: "INFO", message: withTraceId(waitingForTurnText(options.maxSessions), traceIdOfSession(session)) }, true),
    onLeft: (run) => book.forget(run),
  });

  await sweepExports(exports, store, log);
  for (const record of store.all()) {
    knowSession(record);
    if (record.state === "ended") answers.deliver(record.run);
    else keeper.begin(record);
  }
  const calls = createGatewayCalls({
    gatewayId,
    packagers,
    book,
    store,
    hub,
    answers,
    wallClock: timing.wallClock,
    signal: stopping.signal,
    log,
  });
  // Also while stopping: a session that is not accepted is lost, for over the WebSocket Hub never sends it again. The next start drives it.
  const acceptParts = { plugin: options.plugin, store, answers, begin: keeper.begin, wallClock: timing.wallClock, log };
  const accept = (payload: unknown) => acceptSession(payload, acceptParts);
  const prune = async () => {
    await store.prune(timing.wallClock() - timing.keepResults).catch(onFatal);
    // In the background: a blob store that is away holds up nothing.
    void sweepBlobs({ blobs, store, keepMs: timing.keepBlobs, wallClock: timing.wallClock, signal: stopping.signal, log });
  };
  const endFigures = observeGateway({ store, book, now: timing.now });
  const pruning = setInterval(prune, PRUNE_EVERY_MS);
  pruning.unref();

  const operator = createOperator({ gatewayId, store, book, keeper, answers, log });
  let door: OperatorServer | undefined;
  let listener: Awaited<ReturnType<typeof serveGateway>> | undefined;
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    clearInterval(pruning);
    endFigures();
    stopping.abort(new Error("the gateway is stopping"));
    // Hub's end closes at once, so that hardly a session comes in any more. Runs and answers are told to stop just before it: what fails
    // because it closes must not end a session.
    await Promise.all([keeper.stop(), answers.stop(), hub.stop()]);
    await Promise.all([listener?.close(), door?.close()]);
  };
  try {
    await prune();
    listener = await serveGateway(calls, options.grpc);
    // Sessions are worth more than looking at them: on a full volume the gateway runs without.
    door = await serveOperator(operator, join(folder, DOOR_FILE), gatewayId, log).catch((error: unknown) => {
      log.warn({ error: describeError(error) }, "operators can not look at sessions or cancel them");
      return undefined;
    });
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
