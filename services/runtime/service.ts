import type { Blobs } from "./blob/blob.js";
import type { Bus } from "./bus/bus.js";
import type { Logger } from "./log.js";

/** What every service is given by whoever wires it. */
export interface Platform {
  readonly bus: Bus;
  readonly blobs: Blobs;
  readonly log: Logger;
  /** Called when the service can not go on (see `Fatal`); the process logs it, drains and exits with 1. */
  readonly onFatal: (error: Error) => void;
}

/** A started service. */
export interface Service {
  /** Undefined when ready to work, else what it waits for. */
  notReady(): string | undefined;
  /** Stops taking work, finishes or hands back what is held, and closes. Takes at most the drain time. Idempotent. */
  stop(): Promise<void>;
}
