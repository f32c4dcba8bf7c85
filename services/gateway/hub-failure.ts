/** Hub's refusals and absences in a user's words: which step, what came, what to do. Pure but for the error kinds. */
import { Retry } from "../runtime/errors.js";
import { HttpFailure } from "../runtime/http-failure.js";
import { redact } from "../runtime/redact.js";
import { HubFailure } from "./hub.js";
import { truncate } from "./log-record.js";

/** An answer of Hub that is no success; thrown inside so that retries can look at it. */
export class HubRefusal extends Error {
  override readonly name = "HubRefusal";
  constructor(
    readonly status: number,
    /** Hub's own words, as they came. */
    readonly reason: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(`HTTP ${status}`);
  }
}

const MAX_REASON_LENGTH = 200;

export interface FailedStep {
  /** As the subject of a sentence: "Exporting the project". */
  readonly step: string;
  readonly secrets: readonly string[];
  /** Whether the fault is one that passes, though it has outlasted the tries of the step. */
  readonly passing: boolean;
}

/**
 * What a failed step is to the session: HubFailure when it failed for good, Retry when Hub or its storage is away or troubled now.
 * Anything else (the local disk) stays what it is.
 */
export function failureOf(error: unknown, { step, secrets, passing }: FailedStep): unknown {
  if (error instanceof HubRefusal) {
    const reason = truncate(redact(error.reason, secrets).replace(/\s+/g, " ").trim(), MAX_REASON_LENGTH);
    const said = reason === "" ? "" : `, "${reason}"`;
    const message = `${step} failed: Hub answered HTTP ${error.status}${said}.`;
    return passing ? new Retry(message) : new HubFailure(`${message} ${adviceOn(error.status)}`);
  }
  if (!(error instanceof HttpFailure)) return error;
  const message = redact(`${step} failed: ${error.message}.`, secrets);
  if (passing) return new Retry(message);
  if (error.kind === "timeout")
    return new HubFailure(`${message} Try again later; if the project is very large, a longer time limit may help.`);
  if (error.kind === "too large") return new HubFailure(`${message} Export fewer batches or stages at once, or have the limit raised.`);
  return new HubFailure(`${message} ${adviceOnStorage(error.status ?? 0)}`);
}

function adviceOn(status: number): string {
  if (status === 401) {
    return "The API key of the user who pressed Run was refused: the key may have been renewed or revoked since. Reload Hub and press Run again.";
  }
  if (status === 403) return "The user who pressed Run may not do this in the project: ask its owner for the right to export.";
  if (status === 404) return "The project may have been deleted, or the plugin's API_HOST may not be this Hub's REST host.";
  if (status >= 500) return "Hub itself had a problem: press Run again in some minutes.";
  if (status >= 400 || status <= 299)
    return "Check that the project still exists, that the user who pressed Run can see it, and that the chosen stages and batches exist.";
  return "The plugin's API_HOST may not be this Hub's REST host.";
}

function adviceOnStorage(status: number): string {
  if (status === 403) return "The link to the file was refused; it may have expired. Press Run again.";
  return "Press Run again in some minutes.";
}
