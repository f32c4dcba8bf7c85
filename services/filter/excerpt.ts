/** Pieces of an export that are quoted in a reason: short, on one line, and without the queries of URLs, for these are signatures. */

const EXCERPT_LENGTH = 80;
/** Longer than any URL's head that matters, so that a query is removed whole before the text is cut. */
const LOOKED_AT = 8192;
/** A query as JSON may write it; what is left of one where a row was cut begins with a parameter. */
const URL_QUERY = /(?:\?|\\u003f|X-(?:Amz|Goog)-[A-Za-z]+=)[^\s"'<>]*/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** The first characters of a text, `length` at most. */
export function excerpt(text: string, length = EXCERPT_LENGTH): string {
  const clean = text.slice(0, LOOKED_AT).replace(URL_QUERY, "?").replace(CONTROL, " ");
  return clean.length > length ? `${clean.slice(0, length)}...` : clean;
}

/** A JSON value in a few words; containers are named, never printed, for they may be of any size and depth. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(excerpt(value, 40));
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return typeof value === "object" ? "an object" : String(value);
}
