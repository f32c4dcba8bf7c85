/** Structured logs of a process: JSON lines of pino, with everything secret redacted. The only import of pino. */
import { pino } from "pino";
import { redactUrls } from "./redact.js";
import { logFields } from "./telemetry/log-fields.js";

/** Fields that must never be printed, wherever a caller puts them (one level deep). */
const REDACTED_FIELDS = ["apiKey", "apikey", "secret", "token", "authorization", "uploadUrl", "signedUrl", "url", "exportPath"];

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger whose lines all carry these fields. */
  child(fields: object): Logger;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes to standard error, so that standard output stays free for results; `write` replaces it in tests. */
export function createLogger(level: LogLevel, write?: (line: string) => void): Logger {
  const destination = write ? { write } : pino.destination({ fd: 2, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: logFields,
      redact: { paths: REDACTED_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
      hooks: { streamWrite: redactUrls },
    },
    destination,
  );
}
