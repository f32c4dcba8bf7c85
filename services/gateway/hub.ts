import type { OutcomeCounts } from "../../proto/gen/maskline/v1/gateway.js";
import type { Project } from "./project.js";

/*
 * The Hub end of the gateway, as its core sees it. Two ends exist: a real Hub (WebSocket connector plus REST) and the offline one of
 * `maskline convert`, which reads files. Everything behind them is the same.
 */

/** A session as Hub started it, parsed from `unknown` once (session-payload.ts). */
export interface Session {
  /** Hub's id; echoed in every log record and in the answer. */
  readonly session: string;
  readonly projectId: string;
  /** The runner's REST key. A secret. */
  readonly apiKey: string;
  readonly orgId: string;
  readonly runBy: string;
  /** What the user typed in the Config JSON box, as text; undefined when absent. */
  readonly configJson: string | undefined;
  /** Stage filter; undefined: no parameter at all. */
  readonly stage: readonly string[] | undefined;
  /** Batch ids to filter the export by; empty: all. */
  readonly batches: readonly string[];
  /** Not of Hub: what is done for the session belongs to this span (session-trace.ts). Absent: the session is not traced. */
  readonly traceparent?: string;
}

export type LogLevel = "DEBUG" | "INFO" | "WARNING" | "ERROR";

/** What Hub is answered in the end: exactly these bytes, each time. */
export type Answer =
  | { readonly export: true; readonly response: string; readonly session: string }
  | { readonly error: true; readonly session: string };

export interface UploadTarget {
  /** Presigned PUT for the archive. A secret. */
  readonly uploadUrl: string;
  /** Presigned GET for the same object: what the user is answered. A secret to everyone else. */
  readonly signedUrl: string;
}

/**
 * All calls that take a signal reject with its reason when aborted. Calls retry passing faults by themselves, within bounds; what they then
 * throw is a HubFailure, or Retry while Hub is away or troubled.
 */
export interface HubEnd {
  /** Connects. `accept` is called with every session payload as it arrived; it resolves when the session is durably accepted. */
  start(accept: (payload: unknown) => Promise<void>): Promise<void>;
  /** Whether Hub can reach us now. */
  connected(): boolean;
  project(session: Session, signal: AbortSignal): Promise<Project>;
  /** Writes the export, as Hub packs it (zip, or plain JSON or NDJSON text), to `file`, at most `maxBytes` of it. */
  fetchExport(
    session: Session,
    options: { readonly keyFramesOnly: boolean; readonly maxBytes: number },
    file: string,
    signal: AbortSignal,
  ): Promise<void>;
  /** A fresh target for the archive of that name. */
  uploadTarget(session: Session, archiveName: string, signal: AbortSignal): Promise<UploadTarget>;
  /** A line for the user. Best effort, in order, never throws; lines are merged or dropped before results are when Hub is away. */
  log(session: Session, level: LogLevel, message: string): void;
  /** How far a session is, in assets, for whoever shows a bar; a real Hub has none. Called often; must be cheap and never throw. */
  progress(session: Session, done: number, total: number): void;
  /** How the assets of a session with an archive ended, before its answer; for whoever has no log to read it from. Must never throw. */
  summary(session: Session, counts: OutcomeCounts | undefined): void;
  /** Sends the answer, again after a cut, until it is confirmed; resolves then. */
  answer(session: Session, answer: Answer, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** A step of the session failed for good. The message is in a user's words and holds no secret. */
export class HubFailure extends Error {
  override readonly name = "HubFailure";
}
