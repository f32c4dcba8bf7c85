/** The one decision of a run, and telling Hub until it knows (docs/delivery.md rules 8 and 9). */
import { describeError, Fatal } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import type { Answer, HubEnd, Session } from "./hub.js";
import { doubling } from "./patience.js";
import { type AcceptedRun, type EndedRun, forgetful, type OpenRun } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import type { Timing } from "./timing.js";
import type { UserLine } from "./user-log.js";

export interface Ending {
  readonly answer: Answer;
  /** Sent before the answer. */
  readonly lines: readonly UserLine[];
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
  readonly timing: Pick<Timing, "firstPause" | "longestPause" | "now">;
}

export interface Answers {
  /**
   * open -> ended, if `decide` says how: a durable compare-and-set, so that the first decision wins. Hub is answered in the background.
   * Resolves to whether this call has ended the run.
   */
  end(run: string, decide: (record: AcceptedRun | OpenRun) => Ending | undefined): Promise<boolean>;
  /** Sends the stored answer until Hub has confirmed it; the run's log lines once a process. */
  deliver(run: string): void;
  /** Answers a session that was delivered again after its end: the same bytes, with the key it came with. */
  repeat(record: EndedRun, session: Session): void;
  stop(): Promise<void>;
}

/** What ends a session that can not have its archive; the reason goes before it, as an ERROR. */
export function failure(session: Session, lines: readonly UserLine[]): Ending {
  return { answer: { error: true, session: session.session }, lines };
}

export function createAnswers(parts: AnswerParts): Answers {
  const { store, hub, log, timing } = parts;
  const stopping = new AbortController();
  const sending = new Map<string, Promise<void>>();

  function inBackground(run: string, task: () => Promise<void>): void {
    if (sending.has(run) || stopping.signal.aborted) return;
    const work = task()
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        if (error instanceof Fatal) parts.onFatal(error);
        else log.error({ run, error: describeError(error) }, "answering a session failed");
      })
      .finally(() => sending.delete(run));
    sending.set(run, work);
  }

  /** Hub's end retries by itself; what comes back here was refused, and is tried again ever more rarely. */
  async function send(run: string, session: Session, answer: Answer): Promise<void> {
    for (const pause of doubling(timing.firstPause, timing.longestPause * 40)) {
      try {
        await hub.answer(session, answer, stopping.signal);
        return;
      } catch (error) {
        if (stopping.signal.aborted) throw error;
        log.warn({ run, session: session.session, error: describeError(error) }, "Hub could not be told a session's answer; trying again");
        await pause(stopping.signal);
      }
      if (!store.get(run)) return;
    }
  }

  async function deliver(run: string): Promise<void> {
    const record = store.get(run);
    if (record?.state !== "ended" || record.end.confirmedAt !== undefined) return;
    for (const { level, message } of record.end.lines) hub.log(record.session, level, message);
    await send(run, record.session, record.end.answer);
    const forget = (current: unknown) => (current === record ? forgetful(record, timing.now()) : undefined);
    await store.change(run, forget, "remove");
    log.info({ run, session: record.session.session }, "Hub has the session's answer");
    // What can not be erased now is swept at the next start (exports), or after a day (blobs).
    await parts.erase(run).catch((error: unknown) => log.warn({ run, error: describeError(error) }, "a run could not be erased whole"));
  }

  return {
    async end(run, decide) {
      const ended = await store.change(run, (record): EndedRun | undefined => {
        if (record.state === "ended") return undefined;
        const ending = decide(record);
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
            end: { ...ending, at: timing.now(), confirmedAt: undefined },
          }
        );
      });
      if (!ended) return false;
      log.info({ run, session: ended.session.session, failed: "error" in ended.end.answer }, "the session has ended");
      parts.onEnded(run);
      inBackground(run, () => deliver(run));
      return true;
    },
    deliver: (run) => inBackground(run, () => deliver(run)),
    repeat: (record, session) => inBackground(record.run, () => send(record.run, session, record.end.answer)),
    async stop() {
      stopping.abort(new Error("the gateway is stopping"));
      await Promise.allSettled(sending.values());
    },
  };
}
