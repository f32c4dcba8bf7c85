/** The session payload (docs/hub-protocol.md section 4), parsed from `unknown` once. Pure. */
import type { Session } from "./hub.js";
import { asFields, type Fields, isBinary, kindOf } from "./json-value.js";

/** A payload that can not be worked on. What could be read of it is kept, so that its session can still be answered. */
export class BadPayload extends Error {
  override readonly name = "BadPayload";
  constructor(
    readonly problems: readonly string[],
    /** Undefined: nobody can be answered. */
    readonly session: string | undefined,
    readonly orgId: string,
    readonly runBy: string,
    readonly apiKey: string | undefined,
  ) {
    super(`Hub's request to export can not be understood: ${problems.join("; ")}. Please report this to whoever runs the plugin.`);
  }
}

const MAX_SESSION_LENGTH = 512;

/**
 * Tolerant of unknown fields and of the documented absences; the rest must be right.
 * @throws BadPayload that lists all problems; no value of the key is in it.
 */
export function parseSession(payload: unknown): Session {
  const problems: string[] = [];
  const fields = asFields(payload);
  if (!fields) throw new BadPayload([`it is ${kindOf(payload)} instead of an object`], undefined, "", "", undefined);
  const session = essential(fields, "session", isSession, `a text of 1 to ${MAX_SESSION_LENGTH} characters`, problems);
  const projectId = essential(fields, "projectId", isProjectId, "an id of letters, digits, - and _", problems);
  const apiKey = essential(fields, "apiKey", isKey, "a text without spaces", problems);
  const orgId = echo(fields.orgId);
  const runBy = echo(fields.runBy);
  const stage = parseStage(fields.stage, problems);
  const batches = fields.batches == null ? [] : textList(fields.batches, "batches", problems);
  const configJson = parseConfig(fields.configJSON, problems);
  if (session === undefined || projectId === undefined || apiKey === undefined || problems.length > 0) {
    throw new BadPayload(problems, session, orgId, runBy, apiKey);
  }
  return { session, projectId, apiKey, orgId, runBy, configJson, stage, batches };
}

/** The session that a payload names, whatever else is wrong with it; undefined: nobody can be answered. */
export function sessionNameIn(payload: unknown): string | undefined {
  const session = asFields(payload)?.session;
  return typeof session === "string" && isSession(session) ? session : undefined;
}

const isSession = (value: string) => value.length > 0 && value.length <= MAX_SESSION_LENGTH;
/** It becomes a part of paths. */
const isProjectId = (value: string) => /^[A-Za-z0-9_-]{1,128}$/.test(value);
/** It becomes a header. */
const isKey = (value: string) => /^[\x21-\x7e]{1,4096}$/.test(value);

function essential(
  fields: Fields,
  field: string,
  isValid: (value: string) => boolean,
  allowed: string,
  problems: string[],
): string | undefined {
  const value = fields[field];
  if (typeof value === "string" && isValid(value)) return value;
  const found = value === undefined ? "is missing" : typeof value === "string" ? "is not valid" : `is ${kindOf(value)}`;
  problems.push(`${field} ${found}; it must be ${allowed}`);
  return undefined;
}

/** Ids that are only echoed: whatever is not a text becomes one, or nothing. */
function echo(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** Absent: the last stage. An empty list: no filter at all, which is undefined. */
function parseStage(value: unknown, problems: string[]): readonly string[] | undefined {
  if (value == null || value === "") return ["Complete"];
  const stages = textList(value, "stage", problems);
  return stages.length === 0 ? undefined : stages;
}

function textList(value: unknown, field: string, problems: string[]): readonly string[] {
  if (value === "") return [];
  if (typeof value === "string") return [value];
  if (Array.isArray(value) && value.every((entry): entry is string => typeof entry === "string")) return value;
  problems.push(
    `${field} is ${Array.isArray(value) ? "a list with entries that are no texts" : kindOf(value)}; it must be a list of texts`,
  );
  return [];
}

/** Hub sends text; a value that is none is written as JSON, so that the config check can name what is wrong with it. */
function parseConfig(value: unknown, problems: string[]): string | undefined {
  if (value == null) return undefined;
  if (typeof value === "string") return value;
  if (isBinary(value)) {
    problems.push(`configJSON is ${kindOf(value)}; it must be a text`);
    return undefined;
  }
  return JSON.stringify(value);
}
