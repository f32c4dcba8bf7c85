/** The header of a deflate block with codes of its own: RFC 1951 section 3.2.7. */
import type { BitWriter } from "./bit-writer.js";
import { canonicalCodes, codeLengths } from "./huffman.js";

/** A prefix code over an alphabet: by symbol, its bits and how many they are. */
export interface Code {
  readonly bits: Uint16Array;
  readonly lengths: Uint8Array;
}

/** The shortest code for these frequencies with no length over `limit`. */
export function bestCode(frequencies: Uint32Array, limit: number): Code {
  const lengths = codeLengths(frequencies, limit);
  return { lengths, bits: canonicalCodes(lengths) };
}

/** Bytes that a header takes at the most. */
export const MAX_HEADER_BYTES = 320;

const LENGTHS_LIMIT = 7;
const COPY_PREVIOUS = 16;
const ZEROS = 17;
const MANY_ZEROS = 18;

/** The order in which the lengths of the code for lengths are sent. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Writes the header of a block with these codes. */
export function writeCodes(out: BitWriter, literals: Code, distances: Code, lastBlock: boolean): void {
  const literalLengths = trimmed(literals.lengths, 257);
  const distanceLengths = trimmed(distances.lengths, 1);
  const lengths = new Uint8Array(literalLengths.length + distanceLengths.length);
  lengths.set(literalLengths);
  lengths.set(distanceLengths, literalLengths.length);
  const tokens = runLengths(lengths);
  const frequencies = new Uint32Array(19);
  for (const { symbol } of tokens) frequencies[symbol] = (frequencies[symbol] as number) + 1;
  const code = bestCode(frequencies, LENGTHS_LIMIT);
  let sent = LENGTH_ORDER.length;
  while (sent > 4 && code.lengths[LENGTH_ORDER[sent - 1] as number] === 0) sent--;

  out.bits(lastBlock ? 1 : 0, 1);
  out.bits(2, 2);
  out.bits(literalLengths.length - 257, 5);
  out.bits(distanceLengths.length - 1, 5);
  out.bits(sent - 4, 4);
  for (const symbol of LENGTH_ORDER.slice(0, sent)) out.bits(code.lengths[symbol] as number, 3);
  for (const { symbol, extra, extraBits } of tokens) {
    out.bits(code.bits[symbol] as number, code.lengths[symbol] as number);
    out.bits(extra, extraBits);
  }
}

/** Without the zeros at the end, but at least `least` of them. */
function trimmed(lengths: Uint8Array, least: number): Uint8Array {
  let count = lengths.length;
  while (count > least && lengths[count - 1] === 0) count--;
  return lengths.subarray(0, count);
}

interface LengthToken {
  readonly symbol: number;
  readonly extra: number;
  readonly extraBits: number;
}

/** Code lengths as RFC 1951 sends them: repeats of a length, and of zero, are counted. */
function runLengths(lengths: Uint8Array): LengthToken[] {
  const tokens: LengthToken[] = [];
  for (let i = 0; i < lengths.length; ) {
    const length = lengths[i] as number;
    let same = 1;
    while (lengths[i + same] === length) same++;
    i += same;
    if (length !== 0) {
      tokens.push({ symbol: length, extra: 0, extraBits: 0 });
      same--;
    }
    while (same >= 3) same -= pushRepeat(tokens, length, same);
    for (; same > 0; same--) tokens.push({ symbol: length, extra: 0, extraBits: 0 });
  }
  return tokens;
}

/** Adds one token for as many of `same` repeats as it can hold, and returns how many. */
function pushRepeat(tokens: LengthToken[], length: number, same: number): number {
  if (length !== 0) {
    const taken = Math.min(same, 6);
    tokens.push({ symbol: COPY_PREVIOUS, extra: taken - 3, extraBits: 2 });
    return taken;
  }
  const taken = Math.min(same, 138);
  if (taken <= 10) tokens.push({ symbol: ZEROS, extra: taken - 3, extraBits: 3 });
  else tokens.push({ symbol: MANY_ZEROS, extra: taken - 11, extraBits: 7 });
  return taken;
}
