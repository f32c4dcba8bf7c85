/** Starts telemetry before a service, and ends it after. Nothing of the SDK is loaded where it is not asked for. */
import type { Environment } from "../config.js";
import { describeError } from "../errors.js";
import { createLogger } from "../log.js";

export interface TelemetryOptions {
  /** The role that the process plays; the service is called `maskline-<role>` where the environment does not name it. */
  readonly role: string;
  readonly version: string;
}

/**
 * Runs a service with OpenTelemetry's SDK when OTEL_EXPORTER_OTLP_ENDPOINT, or the one of traces or metrics, is set and OTEL_SDK_DISABLED is not
 * `true`; what was recorded is sent before it resolves. A service that can not be watched still works: what is wrong is logged.
 */
export async function withTelemetry<T>({ role, version }: TelemetryOptions, env: Environment, work: () => Promise<T>): Promise<T> {
  const wanted = wantedFrom(env);
  if (!wanted.traces && !wanted.metrics) return work();
  const log = createLogger("warn");
  let end = async () => {};
  try {
    const { startSdk } = await import("./sdk.js");
    end = startSdk({ ...wanted, serviceName: isNamed(env) ? undefined : `maskline-${role}`, version, log });
  } catch (error) {
    log.warn({ error: describeError(error) }, "telemetry can not be started; check the OTEL_* variables. Going on without it");
  }
  try {
    return await work();
  } finally {
    await end();
  }
}

/** What the environment says where to send. */
export function wantedFrom(env: Environment): { readonly traces: boolean; readonly metrics: boolean } {
  const disabled = env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true";
  const wanted = (signal: "TRACES" | "METRICS") =>
    !disabled && Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`]?.trim());
  return { traces: wanted("TRACES"), metrics: wanted("METRICS") };
}

function isNamed(env: Environment): boolean {
  return Boolean(env.OTEL_SERVICE_NAME?.trim()) || /(?:^|,)\s*service\.name\s*=/.test(env.OTEL_RESOURCE_ATTRIBUTES ?? "");
}
