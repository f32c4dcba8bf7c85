/** What a plugin may send, checked against docs/hub-protocol.md sections 2.2, 6 and 7. The simulator notes deviations and goes on. */

/** A log record as a plugin sent it. */
export interface LogRecord {
  readonly level: string;
  readonly organization: string;
  readonly pluginId: string;
  readonly runBy: string;
  readonly session: string;
  readonly msg: string;
  readonly [extra: string]: unknown;
}

/** A terminal result as a plugin sent it. */
export interface PluginResult {
  readonly session: string;
  readonly export?: true;
  readonly response?: string;
  readonly error?: true;
}

const LOG_KEYS = ["level", "organization", "pluginId", "runBy", "session", "msg"];
const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];
/** Of presigned URLs and of headers: nothing of the kind belongs before a user's eyes. */
const SECRETS = /X-Amz-(Signature|Credential)|apikey/i;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is wrong with a log record; undefined: nothing. */
export function logProblem(value: unknown): string | undefined {
  if (!isObject(value)) return "a log record is not an object";
  const missing = LOG_KEYS.filter((key) => typeof value[key] !== "string");
  if (missing.length > 0) return `a log record has no text in ${missing.join(", ")}`;
  if (!LEVELS.includes(String(value.level))) return `a log record has level ${JSON.stringify(value.level)}; allowed: ${LEVELS.join(", ")}`;
  if (SECRETS.test(String(value.msg))) return "a log record holds a presigned URL or a key";
  return undefined;
}

/** What is wrong with a result; undefined: nothing. */
export function resultProblem(value: unknown): string | undefined {
  if (!isObject(value) || typeof value.session !== "string") return "a result has no session";
  const keys = Object.keys(value).sort().join();
  if (keys === "error,session" && value.error === true) return undefined;
  if (keys === "export,response,session" && value.export === true && typeof value.response === "string") return undefined;
  return `a result has the keys ${keys}; allowed: {export: true, response, session} or {error: true, session}`;
}
