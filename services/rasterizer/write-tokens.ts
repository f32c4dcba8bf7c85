/** Tokens of a block as bits of its codes. The innermost loop of encoding. */
import type { BitWriter } from "./bit-writer.js";
import type { Code } from "./code-table.js";
import type { Coded } from "./deflate-symbols.js";
import { EXTRA_BITS, EXTRA_MASK, EXTRA_SHIFT, LONGEST_SYMBOL, SLOT_MASK, SLOT_SHIFT, SYMBOL_MASK, TIMES_SHIFT } from "./tokens.js";

/** The most bits that are written at once: with the 7 that may be pending they are 31. */
const MOST_BITS = 24;

export interface BlockCodes {
  readonly literals: Code;
  readonly distances: Code;
  /** The distances that matches have, by slot from 1. */
  readonly slots: readonly Coded[];
}

/** Bytes that symbols of these frequencies take with their extra bits, and a few more that are written ahead. */
export function blockBytes(literalCounts: Uint32Array, distanceCounts: Uint32Array, { literals, distances, slots }: BlockCodes): number {
  let bits = 0;
  for (let symbol = 0; symbol < literalCounts.length; symbol++) {
    bits += (literalCounts[symbol] as number) * ((literals.lengths[symbol] as number) + (EXTRA_BITS[symbol] as number));
  }
  const extraBits = Math.max(...slots.map((slot) => slot.extraBits));
  for (let symbol = 0; symbol < distanceCounts.length; symbol++) {
    bits += (distanceCounts[symbol] as number) * ((distances.lengths[symbol] as number) + extraBits);
  }
  return Math.ceil(bits / 8) + 8;
}

/** Writes the first `count` tokens. There must be room. */
export function writeTokens(out: BitWriter, tokens: Int32Array, count: number, codes: BlockCodes): void {
  const { bits: symbolCodes, lengths: codeLengths } = codes.literals;
  const { values: distances, counts: distanceLengths, repeated } = distanceTable(codes);
  const view = new DataView(out.bytes.buffer);
  let { length: at, pending, pendingBits } = out;
  for (let i = 0; i < count; i++) {
    const token = tokens[i] as number;
    const symbol = token & SYMBOL_MASK;
    const slot = (token >> SLOT_SHIFT) & SLOT_MASK;
    const times = token >> TIMES_SHIFT;
    const codeLength = codeLengths[symbol] as number;
    const lengthBits = codeLength + (EXTRA_BITS[symbol] as number);
    const bits = (lengthBits + (distanceLengths[slot] as number)) * times;
    const length = (symbolCodes[symbol] as number) | (((token >> EXTRA_SHIFT) & EXTRA_MASK) << codeLength);
    const distance = distances[slot] as number;
    if (bits > MOST_BITS) {
      out.length = at;
      out.pending = pending;
      out.pendingBits = pendingBits;
      writeLong(out, length, lengthBits, distance, distanceLengths[slot] as number, times);
      at = out.length;
      pending = out.pending;
      pendingBits = out.pendingBits;
      continue;
    }
    // Only longest matches are repeated.
    const value = times === 1 ? length | (distance << lengthBits) : (repeated[slot] as number) & ((1 << bits) - 1);
    pending |= value << pendingBits;
    pendingBits += bits;
    // Four bytes are stored, whole or not, and the next ones overwrite those that were not: cheaper than asking how many there are.
    view.setInt32(at, pending, true);
    at += pendingBits >>> 3;
    pending >>>= pendingBits & 0x18;
    pendingBits &= 7;
  }
  out.length = at;
  out.pending = pending;
  out.pendingBits = pendingBits;
}

/** By slot: code and extra bits of its distance, how many these are, and as many longest matches as fit into one write. Slot 0 has no distance. */
function distanceTable({ literals, distances, slots }: BlockCodes) {
  const values = new Int32Array(slots.length);
  const counts = new Int32Array(slots.length);
  const repeated = new Int32Array(slots.length);
  for (let slot = 1; slot < slots.length; slot++) {
    const { symbol, extra, extraBits } = slots[slot] as Coded;
    const codeBits = distances.lengths[symbol] as number;
    values[slot] = (distances.bits[symbol] as number) | (extra << codeBits);
    counts[slot] = codeBits + extraBits;
    const lengthBits = literals.lengths[LONGEST_SYMBOL] as number;
    repeated[slot] = several(
      (literals.bits[LONGEST_SYMBOL] as number) | ((values[slot] as number) << lengthBits),
      lengthBits + codeBits + extraBits,
    );
  }
  return { values, counts, repeated };
}

/** The same bits as often as they fit into one write. */
function several(value: number, bits: number): number {
  let copies = 0;
  for (let at = 0; at + bits <= MOST_BITS && bits > 0; at += bits) copies |= value << at;
  return copies;
}

/** Writes a match, or several longest ones, whose bits are more than one write takes. */
function writeLong(out: BitWriter, length: number, lengthBits: number, distance: number, distanceBits: number, times: number): void {
  const bits = lengthBits + distanceBits;
  if (bits > MOST_BITS) {
    for (let left = times; left > 0; left--) {
      out.bits(length, lengthBits);
      // 15 bits of code and 13 extra ones are more than one write takes, too.
      out.bits(distance & 0xfff, Math.min(distanceBits, 12));
      out.bits(distance >>> 12, Math.max(0, distanceBits - 12));
    }
    return;
  }
  const match = length | (distance << lengthBits);
  const atOnce = Math.floor(MOST_BITS / bits);
  const copies = several(match, bits);
  let left = times;
  for (; left >= atOnce; left -= atOnce) out.bits(copies, atOnce * bits);
  for (; left > 0; left--) out.bits(match, bits);
}
