/** `maskline sessions`: what the running gateway is doing. */
import type { SessionView } from "./gateway/operator-api.js";
import { connectOperator } from "./operator-client.js";
import { type Environment, readConfig } from "./runtime/config.js";
import { dataKeys } from "./runtime/keys.js";

export interface SessionsOptions {
  readonly json: boolean;
  /** Also those that Hub has the answer of, for as long as their results are kept. */
  readonly all: boolean;
}

/**
 * Prints the sessions of the gateway on this DATA_DIR: a table, or JSON.
 * @returns the exit code, 0
 * @throws Error when no gateway answers; ConfigError for wrong environment variables
 */
export async function showSessions({ json, all }: SessionsOptions, env: Environment): Promise<number> {
  const { dataDir } = readConfig(dataKeys, env);
  const list = await (await connectOperator(dataDir)).sessions(all);
  if (json) console.log(JSON.stringify(list, undefined, 2));
  else if (list.sessions.length === 0) console.log(`The gateway ${list.gateway} has no ${all ? "session" : "open session"}.`);
  else console.log(sessionTable(list.sessions, Date.now()));
  return 0;
}

const STATE_WORDS: Readonly<Record<SessionView["state"], string>> = {
  waiting: "waits its turn",
  preparing: "reads the export",
  unpinned: "waits for a packager",
  running: "runs",
  archiving: "archives",
  uploading: "uploads",
  answering: "is answered",
  answered: "ended",
};

/** A line a session under a line of headings, in columns. `now`: milliseconds since 1970. */
export function sessionTable(sessions: readonly SessionView[], now: number): string {
  const rows = [
    ["SESSION", "RUN", "PROJECT", "STATE", "PROGRESS", "AGE"],
    ...sessions.map(({ session, run, project, state, result, progress, acceptedAt }) => [
      printable(session),
      run,
      printable(project) || "-",
      `${STATE_WORDS[state]}${result ? `: ${result}` : ""}`,
      progressWords(progress),
      ageWords(now - Date.parse(acceptedAt)),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Ids come from Hub: they may hold anything, and a terminal would obey it. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "?");
}

function progressWords(progress: SessionView["progress"]): string {
  if (!progress) return "-";
  const { done, total } = progress;
  return `${done} of ${total} (${total === 0 ? 100 : Math.floor((done / total) * 100)} %)`;
}

/** `5 s`, `4 min`, `3 h`, `2 d`. */
export function ageWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
