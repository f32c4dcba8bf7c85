/** The one decision of a run, and telling Hub until it knows (docs/delivery.md rules 8 and 9). */
import { setMaxListeners } from "node:events";
import type { Uploaded } from "../../proto/gen/maskline/v1/gateway.js";
import { describeError, Fatal } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import { sessionDuration, sessionsEnded } from "../runtime/telemetry/metrics.js";
import { type Bell, createBell } from "./bell.js";
import type { Answer, HubEnd, Session } from "./hub.js";
import { truncate } from "./log-record.js";
import { type AcceptedRun, type EndedRun, forgetful, isConfirmed, type OpenRun } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import { recordSession } from "./session-trace.js";
import type { Timing } from "./timing.js";
import type { UserLine } from "./user-log.js";

export interface Ending {
  readonly answer: Answer;
  /** Sent before the answer. */
  readonly lines: readonly UserLine[];
  /** What the packager reported, for the session's span; it is not stored. */
  readonly uploaded?: Uploaded;
}

export interface AnswerParts {
  readonly store: RunStore;
  readonly hub: Pick<HubEnd, "answer" | "log">;
  /** Erases what is left of a run besides its record: the stored export, blobs. */
  readonly erase: (run: string) => Promise<void>;
  /** The run has ended: whoever drives it stops. */
  readonly onEnded: (run: string) => void;
  readonly onFatal: (error: Error) => void;
  readonly log: Logger;
  readonly timing: Pick<Timing, "firstPause" | "longestPause" | "wallClock">;
}

export interface Answers {
  /**
   * open -> ended, if `decide` says how: a durable compare-and-set, so that the first decision wins. Hub is answered in the background.
   * Resolves to whether this call has ended the run.
   */
  end(run: string, decide: (record: AcceptedRun | OpenRun) => Ending | undefined): Promise<boolean>;
  /** Sends the stored answer until Hub has confirmed it; the run's log lines once a process. */
  deliver(run: string): void;
  /**
   * Answers a session that was delivered again after its end: the same bytes, with the key it came with. An answer that is being sent
   * already goes on with that key, at once: the old one may have been refused.
   */
  repeat(record: EndedRun, session: Session): void;
  stop(): Promise<void>;
}

/** A reason that repeats what a user or Hub gave may be long; the console is for people. */
const MAX_REASON_LENGTH = 8_000;

/** What ends a session that can not have its archive; the reason goes before it, as an ERROR. */
export function failure(session: Session, reason: string): Ending {
  const lines: UserLine[] = [{ level: "ERROR", message: truncate(reason, MAX_REASON_LENGTH) }];
  return { answer: { error: true, session: session.session }, lines };
}

/** One answer that is on its way, and the session as Hub sent it last. */
interface Sending {
  session: Session;
  /** Rings when the session came again. */
  readonly renewed: Bell;
  /** Hub has taken it. */
  told: boolean;
  work: Promise<void>;
}

export function createAnswers(parts: AnswerParts): Answers {
  const { store, hub, log, timing } = parts;
  const stopping = new AbortController();
  // Every answer that Hub has not confirmed listens to it, and any number of them may wait for a Hub that is away.
  setMaxListeners(0, stopping.signal);
  const sendings = new Map<string, Sending>();

  function inBackground(run: string, session: Session, task: (sending: Sending) => Promise<void>): void {
    if (sendings.has(run) || stopping.signal.aborted) return;
    const sending: Sending = { session, renewed: createBell(), told: false, work: Promise.resolve() };
    sendings.set(run, sending);
    sending.work = task(sending)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        if (error instanceof Fatal) parts.onFatal(error);
        else log.error({ run, error: describeError(error) }, "answering a session failed");
      })
      .finally(() => sendings.delete(run));
  }

  /**
   * Hub's end retries by itself; what comes back here was refused, and is tried again ever more rarely.
   * @returns whether Hub has the answer; otherwise the run was forgotten, for its answer was kept long enough
   */
  async function send(run: string, sending: Sending, answer: Answer): Promise<boolean> {
    for (let pauseMs = timing.firstPause; store.get(run); pauseMs = Math.min(pauseMs * 2, timing.longestPause * 40)) {
      const { session } = sending;
      try {
        await hub.answer(session, answer, stopping.signal);
        sending.told = true;
        return true;
      } catch (error) {
        if (stopping.signal.aborted) throw error;
        log.warn({ run, session: session.session, error: describeError(error) }, "Hub could not be told a session's answer; trying again");
        if (sending.session === session) await sending.renewed.next(pauseMs, stopping.signal);
      }
    }
    return false;
  }

  function deliver(run: string, uploaded?: Uploaded): void {
    const record = store.get(run);
    if (record?.state !== "ended" || isConfirmed(record)) return;
    inBackground(run, record.session, (sending) => {
      recordSession(record, uploaded);
      return tellAndForget(record, sending);
    });
  }

  async function tellAndForget(record: EndedRun, sending: Sending): Promise<void> {
    const { run, session, end } = record;
    for (const { level, message } of end.lines) hub.log(session, level, message);
    if (await send(run, sending, end.answer)) {
      await store.change(run, (now) => (now.state === "ended" ? forgetful(now, timing.wallClock()) : undefined), "remove");
      log.info({ run, session: session.session }, "Hub has the session's answer");
    } else log.warn({ run, session: session.session }, "Hub never took the session's answer; it is given up");
    // What can not be erased now is swept at the next start (exports), or after a day (blobs).
    await parts.erase(run).catch((error: unknown) => log.warn({ run, error: describeError(error) }, "a run could not be erased whole"));
  }

  function repeat(record: EndedRun, session: Session): void {
    const { run, end } = record;
    const sending = sendings.get(run);
    if (!sending) {
      inBackground(run, session, async (begun) => void (await send(run, begun, end.answer)));
      return;
    }
    if (sending.told) {
      // Hub has just taken it, and asks again.
      void sending.work.then(() => repeat(record, session));
      return;
    }
    if (session.apiKey === "") return;
    sending.session = session;
    sending.renewed.ring();
  }

  return {
    async end(run, decide) {
      let uploaded: Uploaded | undefined;
      const ended = await store.change(run, (record): EndedRun | undefined => {
        if (record.state === "ended") return undefined;
        const ending = decide(record);
        uploaded = ending?.uploaded;
        const { plugin, session, acceptedAt } = record;
        const epoch = record.state === "open" ? record.pin?.epoch : undefined;
        return (
          ending && {
            run,
            plugin,
            session,
            acceptedAt,
            state: "ended",
            epoch,
            end: { answer: ending.answer, lines: ending.lines, at: timing.wallClock(), confirmedAt: undefined },
          }
        );
      });
      if (!ended) return false;
      const failed = "error" in ended.end.answer;
      const outcome = { "maskline.outcome": failed ? "failed" : "exported" };
      sessionsEnded.add(1, outcome);
      sessionDuration.record((ended.end.at - ended.acceptedAt) / 1000, outcome);
      log.info({ run, session: ended.session.session, failed }, "the session has ended");
      parts.onEnded(run);
      deliver(run, uploaded);
      return true;
    },
    deliver: (run) => deliver(run),
    repeat,
    async stop() {
      stopping.abort(new Error("the gateway is stopping"));
      await Promise.allSettled([...sendings.values()].map(({ work }) => work));
    },
  };
}
