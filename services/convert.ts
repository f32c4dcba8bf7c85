/** `maskline convert`: the same pipeline on an export file. Only the Hub end is replaced, by one that reads and writes files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { OutcomeCounts } from "../proto/gen/maskline/v1/gateway.js";
import { startAll } from "./all.js";
import { checkFiles } from "./convert-files.js";
import { createScreen, type Screen } from "./convert-screen.js";
import { gatewayKeys } from "./gateway/config.js";
import type { Answer } from "./gateway/hub.js";
import { createOfflineHub } from "./gateway/offline-hub.js";
import { defaultTiming } from "./gateway/timing.js";
import { type Config, type Environment, readConfig } from "./runtime/config.js";
import { connect } from "./runtime/connect.js";
import { describeError } from "./runtime/errors.js";
import { letHeapsGrow } from "./runtime/heap.js";
import { inTime } from "./runtime/in-time.js";
import { exitCodeOf } from "./runtime/lifecycle.js";
import { createLogger } from "./runtime/log.js";
import { workKeys, workSettings } from "./settings.js";

export interface ConvertOptions {
  readonly exportFile: string;
  readonly outFile: string;
  readonly ontologyFile: string | undefined;
  readonly configFile: string | undefined;
  /** Whether sizes that the export does not tell are looked up in the images it names; by default the filter does. */
  readonly readImages?: boolean;
}

/** The gateway's keys that mean something without a Hub. */
const { sessionWindow, sessionWindowBytes, exportLimit, exportRatioLimit, rowLimit } = gatewayKeys;
const offlineKeys = { ...workKeys, sessionWindow, sessionWindowBytes, exportLimit, exportRatioLimit, rowLimit };

/** No storage limits the archive: it is split only when that is wished. */
const ANY_SIZE = "16384G";

/** Signals that end a conversion: Ctrl-C, `kill`, a terminal that is closed. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What can not be stopped in this time ends with the process. */
const STOP_MS = 10_000;

/**
 * Converts one export file. A signal stops it, a second one at once; however it ends, it leaves no temporary files behind.
 * @returns the exit code: 0 when the archive is written, 1 when the export failed (its reason was printed), 3 when the archive is written
 * but holds no mask, because every asset that the settings let through was rejected, 128 and more after a signal.
 * Then work may still be going on: the caller ends the process.
 * @throws ConfigError for wrong environment variables, and for files that can not be read or written.
 */
export async function convert(options: ConvertOptions, env: Environment): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), "maskline-convert-"));
  const screen = createScreen();
  const leaveNothing = () => {
    screen.end();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  };
  // Whatever ends the process; and what could not be stopped may write until then.
  process.once("exit", leaveNothing);
  const signalled = firstSignal();
  try {
    // Whatever was set up for a server, a conversion keeps to itself and leaves nothing behind.
    const { HEALTH_PORT, BUS, BLOB_URL, ...rest } = env;
    const images = options.readImages === false ? { FETCH_CONCURRENCY: "0" } : {};
    const own = { DATA_DIR: scratch, PACKAGER_ID: "convert", DRAIN_TIMEOUT: "0s", ...images };
    const config = readConfig(offlineKeys, { LOGLEVEL: "silent", ARCHIVE_LIMIT: ANY_SIZE, ...rest, ...own });
    const given = await Promise.race([checkFiles(options), signalled]);
    if (typeof given === "string") return stoppedBy(given);
    return await convertIn(scratch, options, given.configText, config, { screen, signalled });
  } finally {
    leaveNothing();
  }
}

/** Resolves with the first signal; the second one ends the process. */
function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signalled = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (signalled) process.exit(exitCodeOf(signal));
      signalled = true;
      resolve(signal);
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
  });
}

async function convertIn(
  scratch: string,
  options: ConvertOptions,
  configText: string | undefined,
  config: Config<typeof offlineKeys>,
  { screen, signalled }: { readonly screen: Screen; readonly signalled: Promise<NodeJS.Signals> },
): Promise<number> {
  const log = createLogger(config.logLevel);
  let counts: OutcomeCounts | undefined;
  let resolveAnswer: (answer: Answer) => void = () => undefined;
  let rejectAnswer: (error: Error) => void = () => undefined;
  const answered = new Promise<Answer>((keep, refuse) => {
    resolveAnswer = keep;
    rejectAnswer = refuse;
  });
  // A service may fail while others are being started; whoever waits below sees it then.
  answered.catch(() => undefined);
  const exportLimits = { maxEntryBytes: config.exportLimit, maxRatio: config.exportRatioLimit, maxLineBytes: config.rowLimit };
  const hub = createOfflineHub({
    ...options,
    configText,
    limits: exportLimits,
    onLog: screen.line,
    onProgress: screen.progress,
    onSummary: (told) => {
      counts = told;
    },
    onAnswer: (answer) => resolveAnswer(answer),
  });
  const { bus, blobs } = await connect({ bus: "memory", blobs: { kind: "folder", folder: join(scratch, "blobs") }, log });
  try {
    letHeapsGrow();
    const services = await startAll(
      { bus, blobs, log, onFatal: (error) => rejectAnswer(error) },
      {
        gateway: {
          hub,
          plugin: "convert",
          gatewayId: "convert",
          dataDir: scratch,
          stateKey: undefined,
          volatileBus: true,
          maxSessions: 1,
          credits: { window: config.sessionWindow, maxBytes: config.sessionWindowBytes },
          exportLimits,
          tracedAssets: 0,
          timing: defaultTiming,
        },
        grpcPort: 0,
        ...workSettings(config, { allowFileTargets: true }),
      },
    );
    try {
      const end = await Promise.race([answered, signalled]);
      screen.end();
      return exitCodeAfter(end, counts, resolve(options.outFile));
    } finally {
      const stopping = services.stop().catch((error: unknown) => log.error({ error: describeError(error) }, "stopping failed"));
      if (!(await inTime(stopping, STOP_MS))) log.error({}, "stopping took too long; ending without it");
    }
  } finally {
    await bus.close();
  }
}

function stoppedBy(signal: NodeJS.Signals): number {
  console.error(`Stopped by ${signal}.`);
  return exitCodeOf(signal);
}

/** The archive is written, and there is no mask in it: a script must not take it for a success. */
const NOTHING_PAINTED = 3;

function exitCodeAfter(end: Answer | NodeJS.Signals, counts: OutcomeCounts | undefined, outFile: string): number {
  if (typeof end === "string") return stoppedBy(end);
  if ("error" in end) return 1;
  const rejected = Object.values(counts?.rejected ?? {}).reduce((sum, number) => sum + number, 0);
  if (counts?.maskedAssets === 0 && rejected > 0) {
    const all = rejected === 1 ? "the only asset was rejected" : `all ${rejected} assets were rejected`;
    console.error(`No mask was made: ${all}. The manifest in ${outFile} names the reason of each.`);
    return NOTHING_PAINTED;
  }
  console.log(`The masks are in ${outFile}`);
  return 0;
}
