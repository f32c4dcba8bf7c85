/** Log records as Hub takes them (docs/hub-protocol.md section 7), made safe for the user's console: no URL queries, no keys. */
import type { LogLevel, Session } from "./hub.js";

/** In this key order on the wire. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly organization: string;
  readonly pluginId: string;
  readonly runBy: string;
  readonly session: string;
  readonly msg: string;
}

/** Hub drops the connection over a frame above its limit (1 MB by default); we stay far below. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** Of a message, in UTF-16 units: even when JSON escapes each into six bytes, the frame stays below its limit. */
const MAX_MESSAGE_LENGTH = 32_000;

/** Session and ids are echoed; whatever Hub sent, they do not make the frame burst. */
const MAX_ECHO_LENGTH = 2_000;

/**
 * One record of a session's log.
 * @param secrets values that must not be shown, besides the session's own key.
 */
export function logRecord(
  session: Session,
  pluginId: string,
  level: LogLevel,
  message: string,
  secrets: readonly string[] = [],
): LogRecord {
  const safe = redact(message, [session.apiKey, ...secrets]);
  return {
    level,
    organization: truncate(session.orgId, MAX_ECHO_LENGTH),
    pluginId,
    runBy: truncate(session.runBy, MAX_ECHO_LENGTH),
    session: session.session,
    msg: truncate(safe, MAX_MESSAGE_LENGTH),
  };
}

/** Removes credentials, query and fragment of every URL in a text, and each of the secrets, plain or percent-encoded. */
export function redact(text: string, secrets: readonly string[]): string {
  const withoutQueries = text
    .replace(/\b((?:https?|wss?):\/\/)[^\s/"'<>@]*@/gi, "$1")
    .replace(/(\b(?:https?|wss?):\/\/[^\s"'<>?#]+)[?#][^\s"'<>]*/gi, "$1?[redacted]");
  return secrets
    .filter((secret) => secret.length >= 4)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((safe, secret) => safe.replaceAll(secret, "[redacted]"), withoutQueries);
}

/** The text, or its beginning and how much was left out. A pair of surrogates is never torn. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(maxLength - 1)) ? maxLength - 1 : maxLength;
  return `${text.slice(0, end)}... (${text.length - end} more characters)`;
}
