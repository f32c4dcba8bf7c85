/**
 * Hub's REST calls of a session (docs/hub-protocol.md sections 5 to 7). Every step has a timeout and bounded retries; what a step throws
 * in the end is a HubFailure in a user's words, Retry while Hub is away or troubled, or the signal's reason.
 */
import { type BackoffBounds, retrying } from "../runtime/backoff.js";
import { describeError } from "../runtime/errors.js";
import { downloadToFile, requestJson } from "../runtime/http.js";
import { HttpFailure, isPassingHttpFailure } from "../runtime/http-failure.js";
import type { Logger } from "../runtime/log.js";
import { redact } from "../runtime/redact.js";
import { type Answer, HubFailure, type Session, type UploadTarget } from "./hub.js";
import { failureOf, HubRefusal } from "./hub-failure.js";
import { asFields } from "./json-value.js";
import type { LogRecord } from "./log-record.js";

export interface HubRestOptions {
  /** Hub's REST host, without `/v2` and without a slash at its end. */
  readonly apiHost: string;
  /** For each short call. */
  readonly callTimeoutMs: number;
  /** For the export call, which answers when the archive is ready: minutes. */
  readonly exportTimeoutMs: number;
  /** So long may a download pass without a byte. */
  readonly idleTimeoutMs: number;
  /** How often a step is tried, and how long it waits between. */
  readonly retries: BackoffBounds & { readonly attempts: number };
  /** Left out of whatever Hub says, beside the session's own key. */
  readonly secrets: readonly string[];
  readonly log: Logger;
}

export interface HubRest {
  /** `data` of `GET /v2/project/{id}`, unparsed. Never log it: old Hubs embed a key. */
  project(session: Session, signal: AbortSignal): Promise<unknown>;
  /** Has Hub make the export and downloads it to `file`, at most `maxBytes`. */
  fetchExport(
    session: Session,
    options: { readonly keyFramesOnly: boolean; readonly maxBytes: number },
    file: string,
    signal: AbortSignal,
  ): Promise<void>;
  /** A presigned PUT for the archive and the presigned GET of the same object. `name`: [A-Za-z0-9._-] only. */
  uploadTarget(session: Session, name: string, signal: AbortSignal): Promise<UploadTarget>;
  pluginLog(session: Session, record: LogRecord, signal: AbortSignal): Promise<void>;
  /** Tried for as long as Hub is away or troubled; only a refusal or the signal ends it. */
  pluginResponse(session: Session, answer: Answer, signal: AbortSignal): Promise<void>;
}

/** Project bodies carry the whole ontology; nothing Hub answers here is larger. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20;

interface Attempted {
  /** As the subject of a sentence: "Reading the project". */
  readonly step: string;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly attempts?: number;
  /** What took so long is not begun anew, by nobody. */
  readonly timeoutIsFinal?: boolean;
}

interface Call extends Attempted {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

export function createHubRest(options: HubRestOptions): HubRest {
  const { apiHost, callTimeoutMs, exportTimeoutMs, idleTimeoutMs, retries, log } = options;
  const secretsOf = ({ apiKey }: Session) => [apiKey, ...options.secrets];

  async function attempted<T>(
    { step, session, signal, attempts = retries.attempts, timeoutIsFinal = false }: Attempted,
    work: () => Promise<T>,
  ): Promise<T> {
    const isPassing = (error: unknown) => !(timeoutIsFinal && isTimeout(error)) && isPassingHttpFailure(asHttpFailure(error));
    try {
      return await retrying(
        work,
        {
          ...retries,
          attempts,
          isPassing,
          onRetry: (error, attempt, delayMs) =>
            log.warn(
              { session: session.session, step, attempt, delayMs, error: redact(describeError(error), secretsOf(session)) },
              "a call to Hub is tried again",
            ),
        },
        signal,
      );
    } catch (error) {
      throw signal.aborted ? signal.reason : failureOf(error, { step, secrets: secretsOf(session), passing: isPassing(error) !== false });
    }
  }

  async function call(given: Call): Promise<unknown> {
    const { session, method, path, query, headers, body, timeoutMs = callTimeoutMs, signal } = given;
    const url = `${apiHost}/v2/${path}${query ? `?${query}` : ""}`;
    return await attempted(given, async () => {
      const sent = { apikey: session.apiKey, "user-agent": "maskline", ...headers };
      const request = { method, url, headers: sent, body, timeoutMs, maxBodyBytes: MAX_ANSWER_BYTES };
      const response = await requestJson(request, signal);
      return openEnvelope(response.status, response.body, response.retryAfterMs);
    });
  }

  async function exportPath(session: Session, keyFramesOnly: boolean, signal: AbortSignal): Promise<string> {
    const step = "Exporting the project";
    const query = exportQuery(session, keyFramesOnly);
    const data = await call({
      step,
      session,
      method: "GET",
      path: "export",
      query,
      timeoutMs: exportTimeoutMs,
      timeoutIsFinal: true,
      signal,
    });
    return urlIn(data, "exportPath", step);
  }

  return {
    async project(session, signal) {
      const step = "Reading the project";
      const path = `project/${encodeURIComponent(session.projectId)}`;
      return await call({ step, session, method: "GET", path, headers: { "content-type": "application/json" }, signal });
    },

    async fetchExport(session, { keyFramesOnly, maxBytes }, file, signal) {
      const download = async () => {
        const url = await exportPath(session, keyFramesOnly, signal);
        await retrying(
          () => downloadToFile(url, file, { maxBytes, timeoutMs: idleTimeoutMs, signal }),
          { ...retries, isPassing: isPassingHttpFailure },
          signal,
        );
      };
      try {
        // The link may expire while the download is tried again: then one fresh link.
        await retrying(download, { ...retries, attempts: 2, isPassing: isExpiredLink }, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const passing = isPassingHttpFailure(error) !== false;
        throw failureOf(error, { step: "Downloading the export", secrets: secretsOf(session), passing });
      }
    },

    async uploadTarget(session, name, signal) {
      const step = "Asking Hub where to upload the archive";
      const query = new URLSearchParams({ name, project: session.projectId, type: "exports" });
      const uploadUrl = urlIn(await call({ step, session, method: "GET", path: "getUploadUrl", query, signal }), "uploadUrl", step);
      const next = "Asking Hub for the archive's download link";
      const signing = new URLSearchParams({ name: uploadUrl, project: session.projectId, type: "exports" });
      const signedUrl = urlIn(
        await call({ step: next, session, method: "GET", path: "getSignedUrl", query: signing, signal }),
        "signedUrl",
        next,
      );
      return { uploadUrl, signedUrl };
    },

    async pluginLog(session, record, signal) {
      await call({ step: "Sending a log line", session, method: "POST", path: "pluginLog", body: record, signal });
    },

    async pluginResponse(session, answer, signal) {
      await call({
        step: "Sending the result",
        session,
        method: "POST",
        path: "pluginResponse",
        body: answer,
        attempts: Number.POSITIVE_INFINITY,
        signal,
      });
    },
  };
}

/** The query of `GET /v2/export`, byte for byte as Hub's own client sends it: in its order, a space as `+` (test/sdk/wire.test.ts). */
export function exportQuery({ projectId, stage, batches }: Session, keyFramesOnly: boolean): URLSearchParams {
  const query = new URLSearchParams({
    sendEmail: "false",
    includeMetadata: "true",
    includeHistory: "true",
    doNotNotify: "true",
    format: "ndjson",
    type: "task",
    includeOnlyKeyFrames: String(keyFramesOnly),
    includeIdleBlurDurations: "false",
  });
  if (batches.length > 0) query.set("batches", jsonList(batches));
  query.set("taskTypes", jsonList(["default"]));
  if (stage !== undefined) query.set("stage", jsonList(stage));
  query.set("project", projectId);
  return query;
}

/** A list as Python writes it: a space behind each comma, ASCII only. */
function jsonList(texts: readonly string[]): string {
  const ascii = (text: string) => text.replace(/[\u007f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `[${texts.map((text) => ascii(JSON.stringify(text))).join(", ")}]`;
}

/** `data` of `{status, data}`; for calls whose answer is undocumented, whatever came with a 2xx. */
function openEnvelope(status: number, body: unknown, retryAfterMs: number | undefined): unknown {
  const envelope = asFields(body) ?? {};
  const failed = envelope.status === "fail" || envelope.status === "error";
  if (status >= 200 && status <= 299 && !failed) return envelope.data;
  throw new HubRefusal(status, typeof envelope.message === "string" ? envelope.message : "", retryAfterMs);
}

function urlIn(data: unknown, field: string, step: string): string {
  const value = asFields(data)?.[field];
  if (typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new HubFailure(`${step} failed: Hub's answer has no usable ${field}. The plugin's API_HOST may not be this Hub's REST host.`);
}

/** A refusal by Hub passes when the same status from anyone would. */
function asHttpFailure(error: unknown): unknown {
  if (!(error instanceof HubRefusal)) return error;
  const { status, retryAfterMs } = error;
  return new HttpFailure({ kind: "status", target: "Hub", detail: `HTTP ${status}`, status, retryAfterMs });
}

function isTimeout(error: unknown): boolean {
  return error instanceof HttpFailure && error.kind === "timeout";
}

function isExpiredLink(error: unknown): boolean {
  return error instanceof HttpFailure && error.kind === "status" && error.status === 403;
}
