/** A process's life: start, serve health, drain on SIGTERM, end with the right exit code. */
import { describeError } from "./errors.js";
import { serveHealth } from "./health.js";
import { inTime } from "./in-time.js";
import type { Logger } from "./log.js";
import type { Service } from "./service.js";

export interface ProcessOptions {
  readonly log: Logger;
  /** Port of /livez and /readyz; 0: a free one. */
  readonly healthPort: number;
  /** Draining may take so long, then the process ends anyway. */
  readonly drainMs: number;
  readonly start: (onFatal: (error: Error) => void) => Promise<Service>;
}

/** A service stops by itself within its drain time; this much longer, and it is cut. */
const CUT_AFTER_DRAIN_MS = 5_000;

/**
 * Runs a service until SIGTERM, SIGINT or a fatal error. A second signal ends the process at once.
 * @returns the exit code: 0 after a signal, 1 after a fatal error or when draining took too long.
 */
export async function runProcess({ log, healthPort, drainMs, start }: ProcessOptions): Promise<number> {
  let exitCode = 0;
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
    process.once(signal, () => process.exit(130));
    log.info({ signal }, "stopping");
    end();
  };
  process.once("SIGTERM", onSignal).once("SIGINT", onSignal);
  process.once("uncaughtException", fatal).once("unhandledRejection", (reason) => fatal(new Error(describeError(reason))));

  const service = await start(fatal);
  const health = await serveHealth(healthPort, { notReady: () => service.notReady() });
  log.info({ healthPort: health.port }, "started");
  await ended;
  let clean = false;
  const stopping = service.stop().then(
    () => {
      clean = true;
    },
    (error: unknown) => log.error({ error: describeError(error) }, "stopping failed"),
  );
  if (!(await inTime(stopping, drainMs + CUT_AFTER_DRAIN_MS))) log.error({}, "stopping took too long; ending without it");
  await health.close();
  return clean ? exitCode : 1;
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
