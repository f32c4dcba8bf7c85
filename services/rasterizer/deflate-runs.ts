/**
 * A deflate stream (RFC 1951) from literals and matches that the caller already knows: nothing is searched. They are kept as small tokens
 * until a block is full, then written with the best codes for that block; nearly every mask is a single block.
 */
import type { BitWriter } from "./bit-writer.js";
import { bestCode, MAX_HEADER_BYTES, writeCodes } from "./code-table.js";
import { type Coded, codeDistance, DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS, MAX_MATCH, MIN_MATCH } from "./deflate-symbols.js";
import { LENGTH_TOKENS, MOST_TIMES, SLOT_SHIFT, SYMBOL_MASK, TIMES_SHIFT } from "./tokens.js";
import { type BlockCodes, blockBytes, writeTokens } from "./write-tokens.js";

const CODE_LIMIT = 15;
const ONCE = 1 << TIMES_SHIFT;

/** Writes one stream after the other; holds the buffers that this takes. */
export class RunDeflater {
  readonly #out: BitWriter;
  readonly #tokens: Int32Array;
  #count = 0;
  readonly #literals = new Uint32Array(LITERAL_SYMBOLS);
  readonly #distances = new Uint32Array(DISTANCE_SYMBOLS);
  /** By slot, from 1. */
  #slots: readonly Coded[] = [];
  #slotSymbols = new Uint8Array(4);

  /** @param tokensPerBlock bounds the memory; another block costs about a hundred bytes of output */
  constructor(out: BitWriter, tokensPerBlock = 2 ** 18) {
    this.#out = out;
    this.#tokens = new Int32Array(tokensPerBlock);
  }

  /** Starts a stream whose matches have one of these (at most three) distances, 1 to 32768: the first is slot 1. */
  start(distances: readonly number[]): void {
    this.#slots = [codeDistance(1), ...distances.map(codeDistance)];
    this.#slotSymbols = Uint8Array.from(this.#slots, ({ symbol }) => symbol);
    this.#clearBlock();
  }

  /** One byte as it is. */
  literal(byte: number): void {
    if (this.#count === this.#tokens.length) this.#writeBlock(false);
    this.#literals[byte] = (this.#literals[byte] as number) + 1;
    this.#tokens[this.#count++] = byte | ONCE;
  }

  /** `length` bytes, 3 to 258, equal to those at the slot's distance before. */
  match(slot: number, length: number): void {
    this.#repeat(slot, length, 1);
  }

  /**
   * Any number of bytes equal to those at the slot's distance before, as matches.
   * @returns the one or two bytes that are left over, which must be written as literals
   */
  matches(slot: number, length: number): number {
    let rest = length;
    if (length >= MAX_MATCH) {
      let longest = Math.floor(length / MAX_MATCH);
      rest -= longest * MAX_MATCH;
      for (; longest > 0; longest -= MOST_TIMES) this.#repeat(slot, MAX_MATCH, Math.min(longest, MOST_TIMES));
    }
    if (rest < MIN_MATCH) return rest;
    this.#repeat(slot, rest, 1);
    return 0;
  }

  /** Ends the stream, and its last byte. */
  finish(): void {
    this.#writeBlock(true);
    this.#out.align();
  }

  /** A full block ends before the token is counted, for its symbols belong to the next. */
  #repeat(slot: number, length: number, times: number): void {
    if (this.#count === this.#tokens.length) this.#writeBlock(false);
    const token = LENGTH_TOKENS[length] as number;
    const symbol = token & SYMBOL_MASK;
    const distance = this.#slotSymbols[slot] as number;
    this.#literals[symbol] = (this.#literals[symbol] as number) + times;
    this.#distances[distance] = (this.#distances[distance] as number) + times;
    this.#tokens[this.#count++] = token | (slot << SLOT_SHIFT) | (times << TIMES_SHIFT);
  }

  #clearBlock(): void {
    this.#count = 0;
    this.#literals.fill(0);
    this.#distances.fill(0);
  }

  #writeBlock(last: boolean): void {
    this.#literals[END_OF_BLOCK] = 1;
    const literals = bestCode(this.#literals, CODE_LIMIT);
    const distances = bestCode(this.#distances, CODE_LIMIT);
    const codes: BlockCodes = { literals, distances, slots: this.#slots };
    this.#out.reserve(MAX_HEADER_BYTES + blockBytes(this.#literals, this.#distances, codes));
    writeCodes(this.#out, literals, distances, last);
    writeTokens(this.#out, this.#tokens, this.#count, codes);
    this.#out.bits(literals.bits[END_OF_BLOCK] as number, literals.lengths[END_OF_BLOCK] as number);
    this.#clearBlock();
  }
}
