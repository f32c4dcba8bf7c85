/** `maskline convert`: the same pipeline on an export file. Only the Hub end is replaced, by one that reads and writes files. */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { startAll } from "./all.js";
import { createScreen } from "./convert-screen.js";
import { gatewayKeys } from "./gateway/config.js";
import type { Answer } from "./gateway/hub.js";
import { createOfflineHub } from "./gateway/offline-hub.js";
import { defaultTiming } from "./gateway/timing.js";
import { type Config, ConfigError, type Environment, readConfig } from "./runtime/config.js";
import { connect } from "./runtime/connect.js";
import { describeError } from "./runtime/errors.js";
import { createLogger } from "./runtime/log.js";
import { workKeys, workSettings } from "./settings.js";

export interface ConvertOptions {
  readonly exportFile: string;
  readonly outFile: string;
  readonly ontologyFile: string | undefined;
  readonly configFile: string | undefined;
}

/** The gateway's keys that mean something without a Hub. */
const { sessionWindow, sessionWindowBytes, exportLimit, exportRatioLimit, rowLimit } = gatewayKeys;
const offlineKeys = { ...workKeys, sessionWindow, sessionWindowBytes, exportLimit, exportRatioLimit, rowLimit };

/**
 * Converts one export file.
 * @returns the exit code: 0 when the archive is written, 1 when the export failed; its reason was printed.
 * @throws ConfigError for wrong environment variables.
 */
export async function convert(options: ConvertOptions, env: Environment): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), "maskline-convert-"));
  try {
    // Whatever was set up for a server, a conversion keeps to itself and leaves nothing behind.
    const { HEALTH_PORT, BUS, BLOB_URL, ...rest } = env;
    const config = readConfig(offlineKeys, { LOGLEVEL: "warn", ...rest, DATA_DIR: scratch, PACKAGER_ID: "convert" });
    const configText = options.configFile === undefined ? undefined : await readText(options.configFile);
    await mkdir(dirname(resolve(options.outFile)), { recursive: true });
    return await convertIn(scratch, options, configText, config);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function convertIn(
  scratch: string,
  options: ConvertOptions,
  configText: string | undefined,
  config: Config<typeof offlineKeys>,
): Promise<number> {
  const log = createLogger(config.logLevel);
  const screen = createScreen();
  let resolveAnswer: (answer: Answer) => void = () => undefined;
  let rejectAnswer: (error: Error) => void = () => undefined;
  const answered = new Promise<Answer>((keep, refuse) => {
    resolveAnswer = keep;
    rejectAnswer = refuse;
  });
  const exportLimits = { maxEntryBytes: config.exportLimit, maxRatio: config.exportRatioLimit, maxLineBytes: config.rowLimit };
  const hub = createOfflineHub({
    ...options,
    configText,
    limits: exportLimits,
    onLog: screen.line,
    onProgress: screen.progress,
    onAnswer: (answer) => resolveAnswer(answer),
  });
  const { bus, blobs } = await connect({ bus: "memory", blobFolder: join(scratch, "blobs"), log });
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
        timing: defaultTiming,
      },
      grpcPort: 0,
      ...workSettings(config, { allowFileTargets: true }),
    },
  );
  try {
    const answer = await answered;
    screen.end();
    if ("error" in answer) return 1;
    console.log(`The masks are in ${resolve(options.outFile)}`);
    return 0;
  } finally {
    screen.end();
    await services.stop();
    await bus.close();
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new ConfigError([`--config names ${JSON.stringify(file)}, which can not be read (${describeError(error)})`]);
  }
}
