/** The contexts of the runs at work, asked from the gateways once a run and kept: a context never changes. */
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { Retry } from "../runtime/errors.js";
import { type GatewayConnection, NotKnown } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import { runTrace } from "../runtime/telemetry/run-traces.js";
import { createLru } from "./lru.js";

export interface ContextCacheOptions {
  readonly gateways: readonly Pick<GatewayConnection, "address" | "getContext">[];
  /** What is kept and handed out of a context. */
  readonly pack: (context: RunContext) => Uint8Array;
  /** A run that no gateway knows for so long does not exist any more. */
  readonly unknownRunMs: number;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back; replaced in tests. */
  readonly now?: () => number;
}

export interface ContextCache {
  /**
   * The packed context of a run; undefined when all gateways have said for `unknownRunMs` that they do not know it: its messages are
   * leftovers of a run that has ended.
   * @throws Retry while a gateway can not be reached, and while an unknown run may still turn up (the gateway may be restarting).
   */
  get(run: string): Promise<Uint8Array | undefined>;
}

const KEPT_RUNS = 64;
const KEPT_UNKNOWN_RUNS = 1024;

interface Unknown {
  readonly since: number;
  reported: boolean;
}

export function createContextCache({
  gateways,
  pack,
  unknownRunMs,
  log,
  now = () => performance.now(),
}: ContextCacheOptions): ContextCache {
  const kept = createLru<Uint8Array>(KEPT_RUNS);
  const asked = new Map<string, Promise<Uint8Array | undefined>>();
  const unknown = createLru<Unknown>(KEPT_UNKNOWN_RUNS);

  async function ask(run: string): Promise<Uint8Array | undefined> {
    const answers = await firstAnswer(gateways, run);
    if (!("context" in answers)) return handleFailures(run, answers.failures);
    unknown.delete(run);
    const packed = pack(answers.context);
    kept.set(run, packed);
    return packed;
  }

  function handleFailures(run: string, failures: readonly unknown[]): undefined {
    const away = failures.find((failure) => !(failure instanceof NotKnown));
    if (away !== undefined) {
      // Only an answer of every gateway tells that a run is unknown.
      unknown.delete(run);
      throw away instanceof Retry ? away : new Retry("a gateway could not answer for the run's context", { cause: away });
    }
    const known = unknown.get(run);
    if (!known) unknown.set(run, { since: now(), reported: false });
    if (!known || now() - known.since < unknownRunMs) throw new Retry("no gateway knows the run yet");
    if (!known.reported)
      log.warn({ run, gateways: gateways.map(({ address }) => address) }, "dropping the messages of a run that no gateway knows");
    known.reported = true;
    return undefined;
  }

  return {
    async get(run) {
      const found = kept.get(run);
      if (found) return found;
      const running = asked.get(run);
      if (running) return running;
      const call = ask(run).finally(() => asked.delete(run));
      asked.set(run, call);
      return call;
    },
  };
}

/** Asks all at once: the first that knows the run answers; otherwise how each of them failed. */
async function firstAnswer(
  gateways: ContextCacheOptions["gateways"],
  run: string,
): Promise<{ readonly context: RunContext } | { readonly failures: readonly unknown[] }> {
  try {
    return await Promise.any(
      gateways.map(async (gateway) => {
        const { context } = await gateway.getContext({ run }, { role: "filter", traceparent: runTrace(run)?.traceparent });
        if (!context) throw new Retry(`the gateway at ${gateway.address} answered without a context`);
        return { context };
      }),
    );
  } catch (error) {
    if (error instanceof AggregateError) return { failures: error.errors };
    throw error;
  }
}
