/** Values that came as JSON from somebody else, before they are parsed into what we know. Pure. */

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of an object; undefined for anything else, lists and binary data included. */
export function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isBinary(value) ? (value as Fields) : undefined;
}

/** Binary data comes over a socket only, and only instead of what is right. */
export function isBinary(value: unknown): boolean {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** What kind of value it is, for a sentence: "it is a list". */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (isBinary(value)) return "binary data";
  if (typeof value === "string") return "a text";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
