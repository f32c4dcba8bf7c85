/** Text as Python's `repr` of a str shows it, for the mapping file that Python scripts read with `ast.literal_eval`. */

const NAMED_ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** What Python does not print as it is: separators other than the space, and everything that is no character (categories Z and C). */
const NOT_PRINTABLE = /[\p{Z}\p{C}]/u;

export function pythonRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const shown = Array.from(text, (character) => {
    if (character === quote) return `\\${quote}`;
    const named = NAMED_ESCAPES[character];
    if (named !== undefined) return named;
    return character !== " " && NOT_PRINTABLE.test(character) ? hexEscape(character.codePointAt(0) ?? 0) : character;
  });
  return quote + shown.join("") + quote;
}

function hexEscape(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
