/** The alphabets of deflate: RFC 1951 section 3.2.5. */

export const END_OF_BLOCK = 256;
export const LITERAL_SYMBOLS = 286;
export const DISTANCE_SYMBOLS = 30;
export const MIN_MATCH = 3;
export const MAX_MATCH = 258;
export const MAX_DISTANCE = 32768;

/** The symbol of a value, and the extra bits that tell it from others of that symbol. */
export interface Coded {
  readonly symbol: number;
  readonly extra: number;
  readonly extraBits: number;
}

/** Symbols come in groups that share a number of extra bits: `groupSize` a group, the first two groups have none. */
function code(offset: number, groupSize: number): Coded {
  const extraBits = Math.max(0, 31 - Math.clz32(offset) - Math.log2(groupSize));
  return {
    symbol: (offset >> extraBits) + groupSize * extraBits,
    extra: offset & ((1 << extraBits) - 1),
    extraBits,
  };
}

/** A match's length, 3 to 258. The longest has a symbol of its own. */
export function codeLength(length: number): Coded {
  if (length === MAX_MATCH) return { symbol: 285, extra: 0, extraBits: 0 };
  const { symbol, extra, extraBits } = code(length - MIN_MATCH, 4);
  return { symbol: 257 + symbol, extra, extraBits };
}

/** A match's distance, 1 to 32768. */
export function codeDistance(distance: number): Coded {
  return code(distance - 1, 2);
}
