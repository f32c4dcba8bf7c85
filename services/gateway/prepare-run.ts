/** From an accepted session to the run's immutable truth: settings, project, classes, and the stored export (docs/delivery.md rule 2). */
import { rm } from "node:fs/promises";
import { RunContext, type Settings } from "../../proto/gen/maskline/v1/run.js";
import { describeError } from "../runtime/errors.js";
import { UserFailure } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import { inStage } from "../runtime/telemetry/stage.js";
import { inSpan } from "../runtime/telemetry/tracing.js";
import { deleteExport, downloadFile, type ExportLimits, freezeExport } from "./export-store.js";
import type { HubEnd } from "./hub.js";
import { patiently } from "./patience.js";
import type { Project } from "./project.js";
import { archiveName, buildRunContext } from "./run-context.js";
import type { AcceptedRun, Frozen } from "./run-record.js";
import { parseSettings } from "./session-settings.js";
import { traceIdOfSession } from "./session-trace.js";
import type { Timing } from "./timing.js";
import { acceptedText, problemsText, READING_EXPORT_TEXT, type UserLine, waitingForHubText, withTraceId } from "./user-log.js";

export interface PrepareParts {
  readonly hub: Pick<HubEnd, "project" | "fetchExport">;
  /** Where the export of a run is kept. */
  readonly exportFile: (run: string) => string;
  readonly limits: ExportLimits;
  readonly timing: Pick<Timing, "firstPause" | "longestPause" | "giveUp" | "now">;
  /** A line for the session's user. */
  readonly tell: (line: UserLine, verbose: boolean) => void;
  readonly log: Logger;
}

export interface Prepared {
  readonly frozen: Frozen;
  /** The RunContext message, encoded. */
  readonly context: Buffer;
}

/**
 * Reads everything that is ever read from Hub for this run.
 * @throws UserFailure or HubFailure when the session can not be run, with all problems at once; the signal's reason when aborted.
 */
export async function prepareRun(record: AcceptedRun, parts: PrepareParts, signal: AbortSignal): Promise<Prepared> {
  const { run, session } = record;
  const parsed = await inSpan("check config", session.traceparent, { role: "gateway" }, () => readSettings(session.configJson));
  const { settings } = parsed;
  let told = false;
  const patience = {
    ...parts.timing,
    onRetry(error: Error) {
      parts.log.warn({ run, error: describeError(error) }, "Hub is away or troubled; trying again");
      if (!told) parts.tell({ level: "WARNING", message: waitingForHubText(error.message) }, settings.verbose);
      told = true;
    },
  };
  parts.tell({ level: "INFO", message: withTraceId(READING_EXPORT_TEXT, traceIdOfSession(session)) }, settings.verbose);
  const project = await patiently(() => parts.hub.project(session, signal), patience, signal);
  const { context, warnings } = contextOf(record, settings, project);
  for (const message of [...parsed.warnings, ...warnings]) parts.tell({ level: "WARNING", message }, settings.verbose);

  const target = parts.exportFile(run);
  const downloaded = downloadFile(target);
  const options = { keyFramesOnly: settings.includeKeyFramesOnly, maxBytes: parts.limits.maxEntryBytes };
  try {
    await deleteExport(target);
    await patiently(() => parts.hub.fetchExport(session, options, downloaded, signal), patience, signal);
    const { rows, bytes } = await inStage("freeze export", session.traceparent, { stage: "freeze", role: "gateway" }, () =>
      freezeExport(downloaded, target, parts.limits, signal),
    );
    parts.tell({ level: "INFO", message: acceptedText(rows, context) }, settings.verbose);
    const { verbose, verboseFrequency } = settings;
    const frozen = { total: rows, bytes, archiveName: context.archiveName, verbose, verboseFrequency };
    return { frozen, context: Buffer.from(RunContext.encode(context).finish()) };
  } finally {
    await rm(downloaded, { force: true });
  }
}

function readSettings(configJson: string | undefined) {
  const parsed = parseSettings(configJson);
  if ("problems" in parsed) throw new UserFailure(problemsText(parsed.problems));
  return parsed;
}

function contextOf({ run, session }: AcceptedRun, settings: Settings, project: Project) {
  const name = archiveName(project.name, session.session);
  const built = buildRunContext({ run, session, settings, project, archiveName: name });
  if ("problems" in built) throw new UserFailure(problemsText(built.problems));
  return built;
}
