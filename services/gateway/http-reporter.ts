/** Logs and answers over Hub's REST API, for the REST connector (docs/hub-protocol.md section 5.5). */
import { setMaxListeners } from "node:events";
import { waitFor } from "../runtime/backoff.js";
import { describeError, Retry } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import type { Session } from "./hub.js";
import type { HubRest } from "./hub-rest.js";
import { LogBacklog } from "./log-backlog.js";

const KEPT_LOGS = 200;
/** An answer lets the session's last lines go first, but does not wait longer for them. */
const LOGS_FIRST_MS = 10_000;

export type Reporter = Pick<Connector, "log" | "answer"> & { stop(): void };

interface Sending {
  readonly backlog: LogBacklog;
  done: Promise<void>;
}

/**
 * One log call of a session at a time, in order; a line that can not be sent is dropped. An answer is sent until Hub takes it (2xx), refuses
 * it (HubFailure), the signal aborts, or the reporter stops (Retry).
 */
export function createHttpReporter(rest: Pick<HubRest, "pluginLog" | "pluginResponse">, log: Logger): Reporter {
  const stopping = new AbortController();
  // Every session that sends a line listens to it, and any number of them may.
  setMaxListeners(0, stopping.signal);
  const sendings = new Map<string, Sending>();

  async function sendLogs(session: Session, backlog: LogBacklog): Promise<void> {
    for (let records = backlog.takeAll(); records.length > 0; records = backlog.takeAll()) {
      for (const record of records) {
        if (stopping.signal.aborted) return;
        try {
          await rest.pluginLog(session, record, stopping.signal);
        } catch (error) {
          log.warn({ session: session.session, error: describeError(error) }, "a line of the session's log was not taken by Hub");
        }
      }
    }
    sendings.delete(session.session);
  }

  return {
    log(session, record) {
      const sending = sendings.get(session.session);
      if (sending) return sending.backlog.push(record);
      const backlog = new LogBacklog(KEPT_LOGS);
      backlog.push(record);
      const started: Sending = { backlog, done: Promise.resolve() };
      sendings.set(session.session, started);
      started.done = sendLogs(session, backlog);
    },

    async answer(session, answer, signal) {
      const either = AbortSignal.any([signal, stopping.signal]);
      const logs = sendings.get(session.session)?.done;
      const patience = new AbortController();
      if (logs)
        await Promise.race([logs, waitFor(LOGS_FIRST_MS, AbortSignal.any([either, patience.signal]))]).finally(() => patience.abort());
      await rest.pluginResponse(session, answer, either);
    },

    stop: () => stopping.abort(new Retry("the gateway stopped before Hub took the answer; it is sent again after the next start")),
  };
}
