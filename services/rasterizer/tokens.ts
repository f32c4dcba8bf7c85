/**
 * Literals and matches as single integers, from the lowest bit: 9 of the literal/length symbol, 5 of the length's extra bits, 2 of the slot
 * of the distance (0: a literal), and above how many times it is repeated.
 */
import { codeLength, LITERAL_SYMBOLS, MAX_MATCH, MIN_MATCH } from "./deflate-symbols.js";

export const SYMBOL_MASK = 0x1ff;
export const EXTRA_SHIFT = 9;
export const EXTRA_MASK = 0x1f;
export const SLOT_SHIFT = 14;
export const SLOT_MASK = 3;
export const TIMES_SHIFT = 16;
export const MOST_TIMES = 0x7fff;

/** The symbol of a match of MAX_MATCH bytes. */
export const LONGEST_SYMBOL = codeLength(MAX_MATCH).symbol;

/** By length of a match, 3 to 258: symbol and extra bits of its token. */
export const LENGTH_TOKENS = Int32Array.from({ length: MAX_MATCH + 1 }, (_, length) => {
  const { symbol, extra } = codeLength(Math.max(MIN_MATCH, length));
  return symbol | (extra << EXTRA_SHIFT);
});

/** By literal/length symbol: how many extra bits follow it. */
export const EXTRA_BITS = new Uint8Array(LITERAL_SYMBOLS);
for (let length = MIN_MATCH; length <= MAX_MATCH; length++) {
  const { symbol, extraBits } = codeLength(length);
  EXTRA_BITS[symbol] = extraBits;
}
