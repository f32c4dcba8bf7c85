/** A process's life: start, serve health, drain on SIGTERM, end with the right exit code. */
import { constants } from "node:os";
import { describeError } from "./errors.js";
import { serveHealth } from "./health.js";
import { inTime } from "./in-time.js";
import type { Logger } from "./log.js";
import type { Service } from "./service.js";
import { metricsText } from "./telemetry/metrics.js";

export interface ProcessOptions {
  readonly log: Logger;
  /** Port of /livez and /readyz; 0: a free one. */
  readonly healthPort: number;
  /** Draining may take so long, then the process ends anyway. */
  readonly drainMs: number;
  readonly start: (onFatal: (error: Error) => void, starting: Starting) => Promise<Service>;
}

/** What a start is given that may take long, because it waits for others. */
export interface Starting {
  /** Aborted when the process is told to stop before it has started. */
  readonly signal: AbortSignal;
  /** Tells what it waits for, for /readyz. */
  readonly waitsFor: (reason: string) => void;
}

/** A service stops by itself within its drain time; this much longer, and it is cut. */
const CUT_AFTER_DRAIN_MS = 5_000;

/**
 * Serves health, then runs a service until SIGTERM, SIGINT or a fatal error. A second signal ends the process at once.
 * @returns the exit code: 0 after a signal, 1 after a fatal error or when draining took too long. Then work may still be going on: the
 * caller ends the process.
 * @throws what starting throws; Fatal when the health port can not be had, and nothing is started then.
 */
export async function runProcess(options: ProcessOptions): Promise<number> {
  let notReady: Service["notReady"] = () => "starting";
  const health = await serveHealth(options.healthPort, { notReady: () => notReady(), metrics: metricsText });
  try {
    const tell = (reason: () => string | undefined) => {
      notReady = reason;
    };
    return await runService(options, health.port, tell);
  } finally {
    await health.close();
  }
}

async function runService(
  { log, drainMs, start }: ProcessOptions,
  healthPort: number,
  tell: (notReady: Service["notReady"]) => void,
): Promise<number> {
  let exitCode = 0;
  let signalled = false;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const fatal = (error: Error) => {
    log.error({ error: describeError(error) }, "can not go on; stopping");
    exitCode = 1;
    end();
  };
  const onSignal = (signal: NodeJS.Signals) => {
    if (signalled) process.exit(exitCodeOf(signal));
    signalled = true;
    log.info({ signal }, "stopping");
    end();
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  process.on("uncaughtException", fatal).on("unhandledRejection", (reason) => fatal(new Error(describeError(reason))));

  const abort = new AbortController();
  const waitsFor = (reason: string) => tell(() => `starting: ${reason}`);
  const starting = start(fatal, { signal: abort.signal, waitsFor }).then((service) => {
    tell(() => service.notReady());
    log.info({ healthPort }, "started");
    return service;
  });
  // A start that fails throws here; one that does not end is not waited for when the process is told to.
  await Promise.race([starting.then(() => ended), ended]);
  let clean = false;
  abort.abort(new Error("the process was told to stop"));
  const stopping = starting
    .then(
      (service) => service.stop(),
      (error: unknown) => {
        if (error !== abort.signal.reason) throw error;
      },
    )
    .then(
      () => {
        clean = true;
      },
      (error: unknown) => log.error({ error: describeError(error) }, "stopping failed"),
    );
  if (!(await inTime(stopping, drainMs + CUT_AFTER_DRAIN_MS))) log.error({}, "stopping took too long; ending without it");
  return clean ? exitCode : 1;
}

/** Of a process that a signal ended, as shells have it. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Several services as one; stopped in reverse order of their start. */
export function together(services: readonly Service[]): Service {
  return {
    notReady: () => services.map((service) => service.notReady()).find((reason) => reason !== undefined),
    async stop() {
      for (const service of [...services].reverse()) await service.stop();
    },
  };
}
