/** Logs and answers over Hub's REST API, for the REST connector (docs/hub-protocol.md section 5.5). */
import { setMaxListeners } from "node:events";
import { waitFor } from "../runtime/backoff.js";
import { describeError, Retry } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import type { Session } from "./hub.js";
import type { HubRest } from "./hub-rest.js";
import { LogBacklog } from "./log-backlog.js";
import type { LogRecord } from "./log-record.js";

const KEPT_LOGS = 200;
/** An answer lets the session's last lines go first, but does not wait longer for them. */
const LOGS_FIRST_MS = 10_000;

export type Reporter = Pick<Connector, "log" | "answer"> & { stop(): void };

interface Sending {
  readonly backlog: LogBacklog;
  done: Promise<void>;
}

/** Of one session; whatever fails, an answer needs no more of them to be understood. */
const KEPT_ERRORS = 10;
/** An error that fails after its answer was taken is not asked for any more: the oldest sessions make room. */
const KEPT_SESSIONS = 1_000;

/**
 * One log call of a session at a time, in order; a line that can not be sent is dropped, but an error, which explains the answer, is sent
 * again before each try of it. An answer is sent until Hub takes it (2xx), refuses
 * it (HubFailure), the signal aborts, or the reporter stops (Retry).
 */
export function createHttpReporter(rest: Pick<HubRest, "pluginLog" | "pluginResponse">, log: Logger): Reporter {
  const stopping = new AbortController();
  // Every session that sends a line listens to it, and any number of them may.
  setMaxListeners(0, stopping.signal);
  const sendings = new Map<string, Sending>();
  const errorsNotTaken = new Map<string, LogRecord[]>();

  async function sendLogs(session: Session, backlog: LogBacklog): Promise<void> {
    for (let records = backlog.takeAll(); records.length > 0; records = backlog.takeAll()) {
      for (const record of records) {
        if (stopping.signal.aborted) return;
        try {
          await rest.pluginLog(session, record, stopping.signal);
        } catch (error) {
          log.warn({ session: session.session, error: describeError(error) }, "a line of the session's log was not taken by Hub");
          if (record.level === "ERROR") keepError(record);
        }
      }
    }
    sendings.delete(session.session);
  }

  function keepError(record: LogRecord): void {
    const kept = errorsNotTaken.get(record.session) ?? [];
    errorsNotTaken.set(record.session, [...kept, record].slice(-KEPT_ERRORS));
    const oldest = errorsNotTaken.size > KEPT_SESSIONS ? errorsNotTaken.keys().next().value : undefined;
    if (oldest !== undefined) errorsNotTaken.delete(oldest);
  }

  function sendLine(session: Session, record: LogRecord): void {
    const sending = sendings.get(session.session);
    if (sending) {
      sending.backlog.push(record);
      return;
    }
    const backlog = new LogBacklog(KEPT_LOGS);
    backlog.push(record);
    const started: Sending = { backlog, done: Promise.resolve() };
    sendings.set(session.session, started);
    started.done = sendLogs(session, backlog);
  }

  return {
    log: sendLine,

    async answer(session, answer, signal) {
      const either = AbortSignal.any([signal, stopping.signal]);
      const again = errorsNotTaken.get(session.session) ?? [];
      errorsNotTaken.delete(session.session);
      for (const record of again) sendLine(session, record);
      const logs = sendings.get(session.session)?.done;
      const patience = new AbortController();
      if (logs)
        await Promise.race([logs, waitFor(LOGS_FIRST_MS, AbortSignal.any([either, patience.signal]))]).finally(() => patience.abort());
      await rest.pluginResponse(session, answer, either);
      errorsNotTaken.delete(session.session);
    },

    stop: () => stopping.abort(new Retry("the gateway stopped before Hub took the answer; it is sent again after the next start")),
  };
}
