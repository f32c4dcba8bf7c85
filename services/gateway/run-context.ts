import { createHash } from "node:crypto";
import type { RunContext, Settings } from "../../proto/gen/maskline/v1/run.js";
import { buildClassTable } from "./class-table.js";
import type { Session } from "./hub.js";
import { listedWithNearest } from "./nearest-name.js";
import type { Project, ProjectBatch } from "./project.js";
import { listed, quoted } from "./user-words.js";

/** The archive's name stays below 120 letters: Hub, browsers and file systems add theirs. */
const MAX_PROJECT_LETTERS = 60;
const MAX_SESSION_LETTERS = 38;
const HASH_DIGITS = 10;

/** More of a name than could ever be kept. */
const MAX_READ_LETTERS = 500;

export interface RunFacts {
  readonly run: string;
  readonly session: Session;
  readonly settings: Settings;
  readonly project: Project;
  /** See `archiveName`. */
  readonly archiveName: string;
}

export type RunContextResult = { readonly context: RunContext; readonly warnings: string[] } | { readonly problems: string[] };

/**
 * The run's immutable truth (docs/delivery.md rule 2): settings, class table and stages. Everything wrong between the settings and the
 * project is told at once, in words for the user.
 */
export function buildRunContext({ run, session, settings, project, archiveName }: RunFacts): RunContextResult {
  const table = buildClassTable(project.tools, settings.classMappingType);
  const batches = unknownBatches(settings.batchNames, project.batches);
  if ("problem" in table) return { problems: [table.problem, ...batches] };
  if (batches.length > 0) return { problems: batches };
  const context: RunContext = {
    run,
    session: session.session,
    projectId: session.projectId || project.id,
    archiveName,
    settings,
    mode: table.mode,
    classes: table.classes,
    stages: project.stages.map(({ id, name, type }) => ({ id, name, type })),
  };
  return { context, warnings: table.warnings };
}

function unknownBatches(wanted: readonly string[], batches: readonly ProjectBatch[]): string[] {
  const names = new Set(batches.map(({ name }) => name));
  const unknown = wanted.filter((name) => !names.has(name));
  if (unknown.length === 0) return [];
  const all = [...names];
  const known = all.length === 0 ? "the project has no batches; leave batch_names out" : `its batches are ${listed(all.map(quoted))}`;
  return [`batch_names: the project has no batch ${listedWithNearest(unknown, all)}; ${known}.`];
}

/**
 * `masks-<project>-<session>.zip` of [A-Za-z0-9._-] only, at most 120 letters: such a name needs no quoting anywhere, and names of
 * different sessions differ (docs/hub-protocol.md sections 5.3 and 9).
 */
export function archiveName(projectName: string, session: string): string {
  const project = trimmed(safe(projectName).slice(0, MAX_PROJECT_LETTERS)) || "project";
  return `masks-${project}-${sessionPart(session)}.zip`;
}

/** Where letters are lost, a hash of the session keeps the name its own. */
function sessionPart(session: string): string {
  const part = trimmed(safe(session).slice(0, MAX_SESSION_LETTERS));
  if (part === session && part !== "") return part;
  const hash = createHash("sha256").update(session).digest("hex").slice(0, HASH_DIGITS);
  return `${part || "session"}-${hash}`;
}

function safe(text: string): string {
  return trimmed(text.slice(0, MAX_READ_LETTERS).replaceAll(/[^A-Za-z0-9._-]+/g, "-"));
}

function trimmed(text: string): string {
  return text.replaceAll(/^[-.]+|[-.]+$/g, "");
}
