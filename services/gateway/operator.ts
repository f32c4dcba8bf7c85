/** What an operator may do to the sessions of this gateway: look at them, and end one (docs/delivery.md rule 8). */
import { RunPhase } from "../../proto/gen/maskline/v1/gateway.js";
import type { Logger } from "../runtime/log.js";
import { type Answers, failure } from "./answer.js";
import type { CancelReply, SessionList, SessionState, SessionView } from "./operator-api.js";
import { isPinned } from "./pin-run.js";
import type { RunKeeper } from "./run-keeper.js";
import type { ProgressBook } from "./run-progress.js";
import { isConfirmed, type RunRecord } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import { cancelledText } from "./user-log.js";

export interface OperatorParts {
  readonly gatewayId: string;
  readonly store: Pick<RunStore, "all" | "get">;
  readonly book: Pick<ProgressBook, "of">;
  readonly keeper: Pick<RunKeeper, "waits">;
  readonly answers: Pick<Answers, "end">;
  readonly log: Logger;
}

export interface Operator {
  /** In the order of acceptance; those that Hub has the answer of only when `all`. */
  sessions(all: boolean): SessionList;
  /**
   * Ends the session, or the run, of that id as failed, wherever it is, unless it has ended: a durable compare-and-set, like every end. The
   * user is told who did it.
   */
  cancel(id: string, by: string): Promise<CancelReply>;
}

export function createOperator({ gatewayId, store, book, keeper, answers, log }: OperatorParts): Operator {
  const progressOf = (record: RunRecord) => {
    if (record.state !== "open") return undefined;
    const done = isPinned(record) ? book.of(record.run, record.pin).accounted : 0;
    return { done, total: record.frozen.total };
  };

  function stateOf(record: RunRecord): SessionState {
    if (record.state === "ended") return isConfirmed(record) ? "answered" : "answering";
    if (record.state === "accepted") return keeper.waits(record.run) ? "waiting" : "preparing";
    if (!isPinned(record)) return "unpinned";
    const { phase } = book.of(record.run, record.pin);
    if (phase === RunPhase.ARCHIVING) return "archiving";
    return phase === RunPhase.UPLOADING || phase === RunPhase.REPORTED ? "uploading" : "running";
  }

  function viewOf(record: RunRecord): SessionView {
    const { run, session, acceptedAt } = record;
    const progress = progressOf(record);
    const ended = record.state === "ended" ? record.end : undefined;
    return {
      session: session.session,
      run,
      project: session.projectId,
      state: stateOf(record),
      ...(ended ? { result: "error" in ended.answer ? "error" : "archive" } : {}),
      ...(progress ? { progress } : {}),
      acceptedAt: new Date(acceptedAt).toISOString(),
      ...(ended ? { endedAt: new Date(ended.at).toISOString() } : {}),
    };
  }

  /** Run ids are ours and unique; of the sessions of that name (of several plugins on one volume) one that is open comes first. */
  function find(id: string): RunRecord | undefined {
    const named = store.all().filter(({ session }) => session.session === id);
    return store.get(id) ?? named.find(({ state }) => state !== "ended") ?? named.at(-1);
  }

  return {
    sessions: (all) => ({
      gateway: gatewayId,
      sessions: store
        .all()
        .filter((record) => all || !isConfirmed(record))
        .map(viewOf),
    }),

    async cancel(id, by) {
      const found = find(id);
      if (!found) return { done: "unknown", gateway: gatewayId };
      const { run } = found;
      const before = progressOf(found);
      const cancelled = await answers.end(run, ({ session }) => failure(session, cancelledText(by, before)));
      const session = viewOf(store.get(run) ?? found);
      const what = cancelled ? "an operator cancelled a session" : "an operator wanted to cancel a session that had ended before";
      log.warn({ run, session: session.session, by }, what);
      return { done: cancelled ? "cancelled" : "ended before", gateway: gatewayId, session };
    },
  };
}
