/** What Hub starts becomes a run, durably, before anything else happens (docs/delivery.md rule 1). */
import { ulid } from "ulid";
import { describeError } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import { sessionsAccepted, stageDuration } from "../runtime/telemetry/metrics.js";
import { type Answers, failure } from "./answer.js";
import type { Session } from "./hub.js";
import { type AcceptedRun, isConfirmed } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import { BadPayload, parseSession } from "./session-payload.js";
import { knowSession, recordAccept, withNewTrace } from "./session-trace.js";

export interface AcceptParts {
  /** The plugin's id: sessions are told apart within it. */
  readonly plugin: string;
  readonly store: RunStore;
  readonly answers: Answers;
  /** Starts driving a run. */
  readonly begin: (record: AcceptedRun) => void;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly log: Logger;
}

/**
 * Resolves when the session is on disk. A session that comes again is the same run, and one that has ended gets its stored answer again.
 * What can not be read but names its session is answered with an error; what does not even do that is logged and dropped.
 */
export async function acceptSession(payload: unknown, parts: AcceptParts): Promise<void> {
  const { store, answers, log } = parts;
  const { session, problem } = readPayload(payload);
  if (!session) {
    log.error({ error: problem }, "Hub sent a session that can not be answered, for it names none");
    return;
  }
  const startedAt = performance.now();
  const { record, inserted } = await store.insert({
    run: ulid(),
    plugin: parts.plugin,
    session: withNewTrace(session),
    acceptedAt: parts.wallClock(),
    state: "accepted",
  });
  const { run } = record;
  if (!inserted) {
    log.info({ run, session: session.session, state: record.state }, "Hub sent a session again");
    await renewKey(run, session, store);
    const known = store.get(run);
    if (known?.state === "ended") answers.repeat(known, session);
    return;
  }
  knowSession(record);
  sessionsAccepted.add(1, {});
  stageDuration.record((performance.now() - startedAt) / 1000, { "maskline.stage": "accept", "error.type": "" });
  if (record.state === "accepted") recordAccept(record);
  log.info({ run, session: session.session, project: session.projectId }, "session accepted");
  if (problem === undefined && record.state === "accepted") parts.begin(record);
  if (problem !== undefined) await answers.end(run, () => failure(session, problem));
}

/** The user's key may have been renewed since: with the old one Hub would take no answer. Once it has the answer, no key is kept. */
async function renewKey(run: string, { apiKey }: Session, store: RunStore): Promise<void> {
  await store.change(run, (record) => {
    if (apiKey === "" || isConfirmed(record) || record.session.apiKey === apiKey) return undefined;
    return { ...record, session: { ...record.session, apiKey } };
  });
}

function readPayload(payload: unknown): { readonly session: Session | undefined; readonly problem: string | undefined } {
  try {
    return { session: parseSession(payload), problem: undefined };
  } catch (error) {
    if (!(error instanceof BadPayload)) throw error;
    const { session, orgId, runBy, apiKey = "" } = error;
    const problem = describeError(error);
    if (session === undefined) return { session: undefined, problem };
    return { session: { session, projectId: "", apiKey, orgId, runBy, configJson: undefined, stage: undefined, batches: [] }, problem };
  }
}
