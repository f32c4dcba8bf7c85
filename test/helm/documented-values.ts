/** The values of the chart with the comments that document them: `# -- text` above a value, or above a whole map of them. */
import { isMap, isScalar, type Pair, parseDocument } from "yaml";

export interface DocumentedValue {
  /** Names with dots between. */
  readonly path: string;
  /** As JSON. */
  readonly fallback: string;
  readonly meaning: string;
}

/** Every value, in order. @throws when one has no comment. */
export function documentedValues(text: string): DocumentedValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error("the values are no map");
  return contents.items.flatMap((pair) => valuesOf(pair, "", undefined));
}

/** @param comment what stands above it, where the parser has given that to the map around it */
function valuesOf({ key, value }: Pair, above: string, comment: string | null | undefined): DocumentedValue[] {
  if (!isScalar(key)) throw new Error(`a key under ${above} is no text`);
  const path = `${above}${key.value}`;
  const meaning = meaningIn(key.commentBefore ?? comment);
  if (meaning !== undefined) return [{ path, meaning, fallback: JSON.stringify(plain(value)) }];
  if (!isMap(value) || value.items.length === 0) throw new Error(`${path} has no comment that begins with "# -- "`);
  return value.items.flatMap((item, at) => valuesOf(item, `${path}.`, at === 0 ? value.commentBefore : undefined));
}

function plain(node: unknown): unknown {
  return typeof node === "object" && node !== null && "toJSON" in node && typeof node.toJSON === "function" ? node.toJSON() : null;
}

/** The last documenting comment; what stands before it is a heading. */
function meaningIn(comment: string | null | undefined): string | undefined {
  const begin = (comment ?? "").lastIndexOf(" -- ");
  return begin < 0
    ? undefined
    : (comment ?? "")
        .slice(begin + 4)
        .split("\n")
        .map((line) => line.trim())
        .join(" ");
}
