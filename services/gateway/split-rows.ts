/*
 * Cuts the text of an export into rows, over bytes and without parsing: what is wrong within a row stays that row's matter.
 * docs/hub-protocol.md sections 5.1 and 10.
 */
import { isBlank, type RowBlock } from "./export-rows.js";
import { HubFailure } from "./hub.js";

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;

export interface RowSplitter {
  /** Takes the next bytes of the text and overwrites some of them. */
  push(chunk: Buffer): void;
  /** @throws HubFailure when the text can not end here. */
  end(): void;
}

/** Cuts from `start` on. */
interface FormSplitter {
  push(chunk: Buffer, start: number): void;
  end(): void;
}

/**
 * Fills `block` with the rows of an export: the elements of a JSON array when its first byte that is no blank is `[`, else lines.
 * A BOM before it is skipped.
 */
export function createRowSplitter(block: RowBlock): RowSplitter {
  let form: FormSplitter | undefined;
  return {
    push(chunk) {
      let start = 0;
      if (!form) {
        while (start < chunk.length && (isBlank(chunk[start]) || isOfBom(chunk[start]))) start++;
        if (start === chunk.length) return;
        form = chunk[start] === OPENING_BRACKET ? elementSplitter(block) : lineSplitter(block);
      }
      form.push(chunk, start);
    },
    end: () => form?.end(),
  };
}

/** No JSON text begins with one of these bytes, so they are skipped wherever chunks are cut. */
function isOfBom(byte: number | undefined): boolean {
  return byte === 0xef || byte === 0xbb || byte === 0xbf;
}

/** Lines end in `\n` or `\r\n`, and in nothing else: U+2028 may stand within a row. (The block drops the `\r` as a blank.) */
function lineSplitter(block: RowBlock): FormSplitter {
  return {
    push(chunk, start) {
      let from = start;
      for (let end = chunk.indexOf(LINE_FEED, from); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
        block.append(chunk, from, end);
        block.endRow();
        from = end + 1;
      }
      block.append(chunk, from, chunk.length);
    },
    end: () => block.endRow(),
  };
}

const QUOTES = 1;
const OPENS = 2;
const CLOSES = 3;
const SEPARATES = 4;
const BREAKS = 5;

/** What a byte means outside of strings; 0: nothing. */
const MEANING = new Uint8Array(256);
for (const [character, meaning] of [
  ['"', QUOTES],
  ["{", OPENS],
  ["[", OPENS],
  ["}", CLOSES],
  ["]", CLOSES],
  [",", SEPARATES],
  ["\n", BREAKS],
] as const) {
  MEANING[character.charCodeAt(0)] = meaning;
}

/**
 * Elements end at a comma or bracket that stands in no string, list or object of theirs. Line feeds within them become spaces: in
 * valid JSON they can only stand between tokens. A malformed element is a row as well, as long as its quotes and brackets are paired.
 */
function elementSplitter(block: RowBlock): FormSplitter {
  /** Lists and objects that are open: the array itself is the first. */
  let depth = 0;
  let inString = false;
  let escaped = false;
  let closed = false;

  /** Goes on in a string; the index behind its closing quote, or the chunk's length. */
  const skipString = (chunk: Buffer, start: number): number => {
    for (let k = start; k < chunk.length; k++) {
      const byte = chunk[k];
      if (byte === LINE_FEED) chunk[k] = SPACE;
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) {
        inString = false;
        return k + 1;
      }
    }
    return chunk.length;
  };

  /** The elements of a chunk; the index behind the array's closing bracket, or the chunk's length. */
  const splitElements = (chunk: Buffer, start: number): number => {
    let from = start;
    let k = start;
    if (depth === 0) {
      depth = 1;
      from = ++k;
    }
    while (k < chunk.length) {
      if (inString) {
        k = skipString(chunk, k);
        continue;
      }
      const meaning = MEANING[chunk[k] ?? 0];
      if (meaning === QUOTES) inString = true;
      else if (meaning === OPENS) depth++;
      else if (meaning === BREAKS) chunk[k] = SPACE;
      else if (meaning === CLOSES && depth > 1) depth--;
      else if (depth === 1 && (meaning === SEPARATES || chunk[k] === CLOSING_BRACKET)) {
        closed = meaning !== SEPARATES;
        block.append(chunk, from, k);
        block.endRow();
        from = k + 1;
        if (closed) return from;
      }
      k++;
    }
    block.append(chunk, from, k);
    return k;
  };

  return {
    push(chunk, start) {
      const rest = closed ? start : splitElements(chunk, start);
      for (let k = rest; k < chunk.length; k++) if (!isBlank(chunk[k])) throw new HubFailure(TEXT_BEHIND);
    },
    end() {
      if (!closed) throw new HubFailure(NO_END);
    },
  };
}

const TEXT_BEHIND = "The export can not be read: something follows the end of its list of assets. Run the export again.";
const NO_END = "The export is incomplete: its list of assets has no end (no closing bracket). Run the export again.";
