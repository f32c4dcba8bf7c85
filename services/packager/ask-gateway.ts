/** Calls of the packager to a run's gateway, which may be away: until it answers, everything is kept (docs/delivery.md rule 18). */
import { retrying } from "../runtime/backoff.js";
import { Retry } from "../runtime/errors.js";
import type { GatewayCalls } from "../runtime/gateway-calls.js";
import type { HeldRun } from "./held-runs.js";

export type PackingCalls = Pick<GatewayCalls, "getContext" | "getUploadTarget" | "report">;

/** The connection to a gateway by its id; undefined while it has not answered. */
export type GatewayOf = (gateway: string) => PackingCalls | undefined;

const GATEWAY_BACKOFF = { firstDelayMs: 200, maxDelayMs: 10_000 };

/**
 * A call to the run's gateway, repeated for as long as it is away.
 * @throws what else the gateway answers; the signal's reason when aborted.
 */
export async function askGateway<T>(
  { gateway }: Pick<HeldRun, "gateway">,
  gatewayOf: GatewayOf,
  call: (gateway: PackingCalls) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return retrying(
    async () => {
      const calls = gatewayOf(gateway);
      if (!calls) throw new Retry("the run's gateway has not answered yet");
      return unlessAborted(call(calls), signal);
    },
    { ...GATEWAY_BACKOFF, attempts: Number.POSITIVE_INFINITY, isPassing: (error) => error instanceof Retry },
    signal,
  );
}

/** What the work gives; the signal's reason as soon as it is aborted, though the call goes on until its own deadline. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
