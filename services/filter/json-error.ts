/** Where a text stops being JSON. V8 tells it in words that change from version to version; this is asked only when JSON.parse has failed. */

type Expected = "value" | "value or ]" | "key or }" | "key" | "colon" | "comma or end" | "nothing";

const BARE_TOKEN_END = /[\s,:[\]{}"]/g;
const BARE_TOKEN = /^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/;
const LONGEST_CHECKED_TOKEN = 1000;

/**
 * The offset of the first character that can not stand there (RFC 8259), the text's length when it ends too early, or undefined when
 * the text is JSON. Needs no recursion, whatever the nesting.
 */
export function jsonErrorOffset(text: string): number | undefined {
  const closers: string[] = [];
  let expected: Expected = "value";
  const afterValue = (): Expected => (closers.length === 0 ? "nothing" : "comma or end");

  for (let at = skipBlanks(text, 0); at < text.length; at = skipBlanks(text, at)) {
    const char = text.charAt(at);
    const mayEnd = expected === "comma or end" || expected === "value or ]" || expected === "key or }";
    if (mayEnd && char === closers.at(-1)) {
      closers.pop();
      expected = afterValue();
      at += 1;
    } else if (expected === "comma or end" && char === ",") {
      expected = closers.at(-1) === "}" ? "key" : "value";
      at += 1;
    } else if (expected === "colon" && char === ":") {
      expected = "value";
      at += 1;
    } else if ((expected === "key" || expected === "key or }") && char === '"') {
      const end = stringEnd(text, at);
      if (end.bad) return end.at;
      expected = "colon";
      at = end.at;
    } else if (expected === "value" || expected === "value or ]") {
      if (char === "{" || char === "[") {
        closers.push(char === "{" ? "}" : "]");
        expected = char === "{" ? "key or }" : "value or ]";
        at += 1;
      } else {
        const end = char === '"' ? stringEnd(text, at) : bareTokenEnd(text, at);
        if (end.bad) return end.at;
        expected = afterValue();
        at = end.at;
      }
    } else {
      return at;
    }
  }
  return expected === "nothing" ? undefined : text.length;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\n\r".includes(text.charAt(at))) at += 1;
  return at;
}

interface TokenEnd {
  readonly at: number;
  readonly bad: boolean;
}

function stringEnd(text: string, quote: number): TokenEnd {
  let at = quote + 1;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') return { at: at + 1, bad: false };
    if (char < " ") return { at, bad: true };
    if (char !== "\\") at += 1;
    else if ('"\\/bfnrt'.includes(text.charAt(at + 1)) && at + 1 < text.length) at += 2;
    else if (/^u[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 6))) at += 6;
    else return { at, bad: true };
  }
  return { at: text.length, bad: true };
}

function bareTokenEnd(text: string, start: number): TokenEnd {
  BARE_TOKEN_END.lastIndex = start;
  const end = BARE_TOKEN_END.exec(text)?.index ?? text.length;
  const good = end > start && (end - start > LONGEST_CHECKED_TOKEN || BARE_TOKEN.test(text.slice(start, end)));
  return good ? { at: end, bad: false } : { at: start, bad: true };
}
