/** `maskline cancel`: an operator ends a session. */
import { userInfo } from "node:os";
import { connectOperator } from "./operator-client.js";
import { type Environment, readConfig } from "./runtime/config.js";
import { dataKeys } from "./runtime/keys.js";
import { ageWords, printable } from "./sessions-command.js";

/** What `maskline cancel` ends with; 1 and 2 are as for every command. */
export const CANCEL_EXIT_CODES = { cancelled: 0, "ended before": 3, unknown: 4 } as const;

export interface CancelOptions {
  /** Hub's id of the session, or ours of its run. */
  readonly id: string;
  /** Who the session's user is told it was; undefined: the user of this process. */
  readonly by: string | undefined;
}

/**
 * Ends the session as failed through the gateway on this DATA_DIR, without asking back, and says what it did.
 * @returns the exit code, one of CANCEL_EXIT_CODES
 * @throws Error when no gateway answers; ConfigError for wrong environment variables
 */
export async function cancelSession({ id, by }: CancelOptions, env: Environment): Promise<number> {
  const { dataDir } = readConfig(dataKeys, env);
  const operator = by?.trim() || userName();
  const reply = await (await connectOperator(dataDir)).cancel(id, operator);
  if (reply.done === "unknown") {
    console.error(`The gateway ${reply.gateway} has no session and no run ${printable(id)}: "maskline sessions" lists them.`);
  } else {
    const { session, run, result, endedAt } = reply.session;
    const which = `Session ${printable(session)} (run ${run})`;
    if (reply.done === "cancelled")
      console.log(`${which} is cancelled by ${printable(operator)}: Hub is told that it ended with an error.`);
    else {
      const age = ageWords(Date.now() - Date.parse(endedAt ?? ""));
      console.error(`${which} had ended already, ${age} ago, with an ${result ?? "error"}. Nothing was changed.`);
    }
  }
  return CANCEL_EXIT_CODES[reply.done];
}

/** A user without an entry in the system's table, as in a container, has a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
