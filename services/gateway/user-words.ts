/** How the names and values that a user gave are repeated in messages to them: recognisable, and never long. */

const MAX_LETTERS = 80;
const MAX_NAMES = 50;

/** The text, cut when it is long. */
export function shortened(text: string): string {
  return text.length > MAX_LETTERS ? `${text.slice(0, MAX_LETTERS)}…` : text;
}

export function quoted(name: string): string {
  return JSON.stringify(shortened(name));
}

/** `a, b, c`, and at the most "... and 7 more". */
export function listed(names: readonly string[]): string {
  const rest = names.length - MAX_NAMES;
  return rest > 0 ? `${names.slice(0, MAX_NAMES).join(", ")} and ${rest} more` : names.join(", ");
}

/** A size as a person reads it. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
