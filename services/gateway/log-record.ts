/** Log records as Hub takes them (docs/hub-protocol.md section 7), none too long for it. Pure. */
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
 * @param message without secrets (`redact` of runtime/redact.ts): the user's console is not the place for them.
 */
export function logRecord(session: Session, pluginId: string, level: LogLevel, message: string): LogRecord {
  return {
    level,
    organization: truncate(session.orgId, MAX_ECHO_LENGTH),
    pluginId,
    runBy: truncate(session.runBy, MAX_ECHO_LENGTH),
    session: session.session,
    msg: truncate(message, MAX_MESSAGE_LENGTH),
  };
}

/** The text, or its beginning and how much was left out. A pair of surrogates is never torn. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(maxLength - 1)) ? maxLength - 1 : maxLength;
  return `${text.slice(0, end)}... (${text.length - end} more characters)`;
}
