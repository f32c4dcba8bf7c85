/** What a step is. Steps neither publish nor acknowledge: the loop (step-loop.ts) does. */

/** The message as the loop hands it to a step. */
export interface StepInput {
  readonly id: string;
  /** The run. */
  readonly key: string;
  readonly body: Uint8Array;
  /** How often it has been delivered, from 1. */
  readonly attempt: number;
}

/** A message that a step wants published: its id is the input's plus `suffix`, its key the input's. */
export interface StepOutput {
  readonly queue: string;
  readonly suffix: string;
  readonly body: Uint8Array;
  /** How long the step took for its parts; for traces and metrics alone, and never published. */
  readonly stages?: readonly StageTime[];
}

export interface StageTime {
  readonly stage: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
}

/** One message to messages. Throws Retry, Reject or Fatal (errors.ts); anything else counts as a failure of the message. */
export type Step = (input: StepInput, signal: AbortSignal) => Promise<readonly StepOutput[]>;
