/**
 * What is known of the messages from a partition's committed offset on, as text for the commit's metadata: Kafka keeps one offset a
 * partition, and no count of deliveries. Run lengths, so that a few characters tell of many messages: `2,dx40,1x3` are a message delivered
 * twice, 40 finished ones, and three delivered once. Nothing is known of those behind.
 */

/** Of one message: done, or how often it was delivered. */
export type Fate = "done" | number;

export interface Stretch {
  readonly fate: Fate;
  readonly length: number;
}

/** Whose commit it is, and what it says. */
export interface CommitNote {
  /** Differs for everyone who ever took the partition. */
  readonly taker: string;
  readonly stretches: readonly Stretch[];
}

const FORMAT = "maskline1";
const DONE = "d";
/** More than ever lies between a committed offset and what is read: a note that says so is not ours. */
const LONGEST = 1_000_000;

/** @param maxLength what does not fit at the end is left out: it is forgotten, and costs a delivery more. */
export function encodeNote({ taker, stretches }: CommitNote, maxLength: number): string {
  let text = `${FORMAT} ${taker} `;
  for (const [index, { fate, length }] of withoutFreshEnd(stretches).entries()) {
    const stretch = `${index === 0 ? "" : ","}${fate === "done" ? DONE : fate}${length === 1 ? "" : `x${length}`}`;
    if (text.length + stretch.length > maxLength) break;
    text += stretch;
  }
  return text;
}

/** Undefined for a text that is none of ours, as another tool's. */
export function decodeNote(text: string | null): CommitNote | undefined {
  const match = /^maskline1 ([0-9a-f]+) ((?:(?:d|\d{1,6})(?:x\d{1,7})?(?:,(?!$)|$))*)$/.exec(text ?? "");
  if (!match) return undefined;
  const [, taker = "", list = ""] = match;
  const stretches = (list === "" ? [] : list.split(",")).map((stretch): Stretch => {
    const [fate = "", length = "1"] = stretch.split("x");
    return { fate: fate === DONE ? "done" : Number(fate), length: Number(length) };
  });
  return stretches.some(({ length }) => length < 1 || length > LONGEST) ? undefined : { taker, stretches };
}

/** How many messages behind the committed offset are finished. */
export function finishedIn(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { fate, length }) => (fate === "done" ? sum + length : sum), 0);
}

function withoutFreshEnd(stretches: readonly Stretch[]): readonly Stretch[] {
  let end = stretches.length;
  while (end > 0 && stretches[end - 1]?.fate === 0) end -= 1;
  return stretches.slice(0, end);
}
