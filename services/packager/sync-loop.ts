/**
 * Sync with one gateway: soon after a change, and at least every so often; never two at once. Every gateway has a loop of its own, so
 * that one that hangs delays no other (docs/delivery.md rule 18).
 */
import type { SyncRequest, SyncResponse } from "../../proto/gen/maskline/v1/gateway.js";
import { describeError, Fatal } from "../runtime/errors.js";
import { IdTaken } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import type { Urgency } from "./sync-messages.js";

export interface SyncLoopOptions {
  readonly address: string;
  readonly sync: (request: SyncRequest) => Promise<SyncResponse>;
  /** Builds the request for a gateway whose id is known from its last reply, or not yet. */
  readonly request: (gateway: string | undefined) => SyncExchange;
  /** At least so often, at most 2 s. */
  readonly everyMs: number;
  /** A failure that is not the gateway's. */
  readonly onFatal: (error: Error) => void;
  readonly log: Logger;
}

/** One request, and what is to be done with its reply. */
export interface SyncExchange {
  readonly request: SyncRequest;
  readonly apply: (reply: SyncResponse) => Promise<Urgency>;
}

export interface SyncLoop {
  /** The id of the gateway at this address; undefined before its first answer. */
  gateway(): string | undefined;
  /** Something has changed: Sync within 100 ms, or at once. */
  wake(urgency: "now" | "soon"): void;
  stop(): void;
}

const SOON_MS = 100;
const AFTER_FAILURE_MS = 500;

export function startSyncLoop({ address, sync, request, everyMs, onFatal, log }: SyncLoopOptions): SyncLoop {
  let gateway: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let notBefore = 0;
  let busy = false;
  let stopped = false;
  let failing = false;

  /** The earliest wish counts, but for the pause after a failure. While a Sync is under way it only remembers. */
  function dueIn(ms: number): void {
    dueAt = Math.max(notBefore, Math.min(dueAt, performance.now() + ms));
    if (busy || stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => void exchange(), Math.max(0, dueAt - performance.now()));
  }

  async function exchange(): Promise<void> {
    busy = true;
    dueAt = Number.POSITIVE_INFINITY;
    const answered = await trySync();
    busy = false;
    if (stopped) return;
    if (answered) dueIn(everyMs);
    else {
      // Changes while the gateway is away need no haste.
      notBefore = performance.now() + AFTER_FAILURE_MS;
      dueIn(AFTER_FAILURE_MS);
    }
  }

  async function trySync(): Promise<boolean> {
    const { request: message, apply } = request(gateway);
    let reply: SyncResponse;
    try {
      reply = await sync(message);
    } catch (error) {
      if (error instanceof IdTaken && !stopped) {
        stopped = true;
        onFatal(new Fatal("this packager can not go on", { cause: error }));
      } else if (!failing && !stopped)
        log.warn({ gateway: address, error: describeError(error) }, "a gateway does not answer; everything is kept");
      failing = true;
      return false;
    }
    if (failing) log.info({ gateway: address }, "the gateway answers again");
    failing = false;
    if (stopped) return true;
    gateway = reply.gateway;
    try {
      const urgency = await apply(reply);
      if (urgency !== "later") dueIn(urgency === "now" ? 0 : SOON_MS);
    } catch (error) {
      onFatal(error instanceof Error ? error : new Error(describeError(error)));
    }
    return true;
  }

  dueIn(0);
  return {
    gateway: () => gateway,
    wake: (urgency) => dueIn(urgency === "now" ? 0 : SOON_MS),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
