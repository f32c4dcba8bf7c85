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

/**
 * `a, b, c`, or `a, b and 7 more` when there are more than `most`.
 * @param shown how a name is written; asked only for those that are listed
 */
export function listed(names: readonly string[], most = MAX_NAMES, shown: (name: string) => string = (name) => name): string {
  const rest = names.length - most;
  const first = names.slice(0, most).map(shown).join(", ");
  return rest > 0 ? `${first} and ${rest} more` : first;
}

/** A size as a person reads it. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3 ? `${(bytes / 1024 ** 2).toFixed(1)} MiB` : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
