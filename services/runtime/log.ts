/** Structured logs of a process: JSON lines of pino, with everything secret redacted. The only import of pino. */
import { pino } from "pino";

/** Fields that must never be printed, wherever a caller puts them (one level deep). */
const REDACTED_FIELDS = ["apiKey", "apikey", "secret", "token", "authorization", "uploadUrl", "signedUrl", "url", "exportPath"];

/** The query of a URL carries its signature: everything behind `?` goes. */
const URL_QUERY = /(\bhttps?:\/\/[^\s"'?]+)\?[^\s"']*/g;

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

/** Removes the query of every URL in a text, for it may be a signature. */
export function redactUrls(message: string): string {
  return message.replace(URL_QUERY, "$1?[redacted]");
}

/** Writes to standard error, so that standard output stays free for results; `write` replaces it in tests. */
export function createLogger(level: LogLevel, write?: (line: string) => void): Logger {
  const destination = write ? { write } : pino.destination({ fd: 2, sync: true });
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
      hooks: { streamWrite: redactUrls },
    },
    destination,
  );
}
