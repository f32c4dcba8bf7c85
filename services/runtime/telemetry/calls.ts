/** Spans and times of gRPC calls, by OpenTelemetry's conventions for RPC. */
import { clientCalls, serverCalls } from "./metrics.js";
import type { TraceParent } from "./traceparent.js";
import { inSpan } from "./tracing.js";

/** The key of the metadata that carries the context. */
export const TRACE_METADATA = "traceparent";

export interface CallOptions {
  readonly kind: "client" | "server";
  /** As in the proto file: `maskline.v1.GatewayService/Sync`. */
  readonly method: string;
  readonly role: string;
  readonly parent: TraceParent | undefined;
  /** The status of a call that failed, as `NOT_FOUND`. */
  readonly statusOf: (error: unknown) => string;
}

/** Makes or answers a call; `work` is given the context that belongs to it. Throws what it throws. */
export async function observedCall<T>(
  { kind, method, role, parent, statusOf }: CallOptions,
  work: (context: TraceParent | undefined) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const system = { "rpc.system.name": "grpc", "rpc.method": method };
  const done = (status: string) =>
    (kind === "client" ? clientCalls : serverCalls).record((performance.now() - startedAt) / 1000, {
      ...system,
      "rpc.response.status_code": status,
    });
  try {
    const result = await inSpan(method, parent, { role, kind, attributes: { ...system, "rpc.system": "grpc" } }, async (context, span) => {
      try {
        return await work(context);
      } catch (error) {
        span?.set({ "rpc.response.status_code": statusOf(error) });
        throw error;
      }
    });
    done("OK");
    return result;
  } catch (error) {
    done(statusOf(error));
    throw error;
  }
}
