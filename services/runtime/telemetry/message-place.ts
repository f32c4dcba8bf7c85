/** Where a message belongs, read off its derived id `run/epoch.round/index[/p<part>][/<suffix>]` (proto/pipeline.ts). Pure. */

export interface MessagePlace {
  readonly run: string;
  readonly index: number;
  /** Undefined: the message speaks of the whole asset. */
  readonly part: number | undefined;
}

const DERIVED_ID = /^([0-9A-Z]{26})\/\d+\.\d+\/(\d+)(?:\/p(\d+))?(?:\/[a-z]+)*$/;

/** Undefined when the id is none of the pipeline's. */
export function placeOf(id: string): MessagePlace | undefined {
  const match = DERIVED_ID.exec(id);
  if (!match?.[1]) return undefined;
  return { run: match[1], index: Number(match[2]), part: match[3] === undefined ? undefined : Number(match[3]) };
}

/** The id of the message that a step made this one of: every step appends one segment to the id of its input. */
export function inputIdOf(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf("/")));
}
