/*
 * Rows of an export between the download and the frozen file: opaque bytes, collected here into the frozen form, one row per line
 * that ends in `\n`. Pure: no IO.
 */
import { tooLongRow } from "../../proto/too-long-row.js";

const LINE_FEED = 0x0a;

/** Fits what most chunks bring; a longer row makes the buffer grow for as long as it takes. */
const USUAL_BYTES = 2 * 1024 * 1024;

/** The frozen file's offset is noted at every so-manieth row (row-offsets.ts). */
export const CHECKPOINT_ROWS = 1024;

/** A blank of JSON: space, tab, and the two line endings. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === LINE_FEED || byte === 0x0d;
}

/**
 * Collects rows piece by piece. Blanks around a row are no part of it, a row of nothing else is none, and of a row over
 * `maxRowBytes` only its length is kept: memory stays bounded however long it is. The caller drains the finished rows after each chunk.
 */
export class RowBlock {
  #bytes = Buffer.allocUnsafe(USUAL_BYTES);
  /** Finished rows lie before it, the row in progress behind it. */
  #rowStart = 0;
  #length = 0;
  /** Of the row in progress, also when it is not kept. */
  #rowBytes = 0;
  #drained = 0;
  #rows = 0;
  readonly #checkpoints: number[] = [];

  constructor(readonly maxRowBytes: number) {}

  /** Finished rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes of the finished rows so far, drained ones included. */
  get bytes(): number {
    return this.#drained + this.#rowStart;
  }

  /** Where row 1 * CHECKPOINT_ROWS begins, row 2 * CHECKPOINT_ROWS, ... in bytes from the first row. */
  get checkpoints(): readonly number[] {
    return this.#checkpoints;
  }

  /** Adds the bytes from..to (not included) of `chunk` to the row in progress. They hold no line feed, and are copied. */
  append(chunk: Buffer, from: number, to: number): void {
    let start = from;
    if (this.#rowBytes === 0) while (start < to && isBlank(chunk[start])) start++;
    this.#rowBytes += to - start;
    if (this.#rowBytes > this.maxRowBytes) this.#length = this.#rowStart;
    else this.#put(chunk, start, to);
  }

  /** Ends the row in progress. */
  endRow(): void {
    if (this.#rowBytes === 0) return;
    if (this.#rowBytes > this.maxRowBytes) {
      const line = tooLongRow(this.#rowBytes, this.maxRowBytes);
      this.#put(line, 0, line.length);
    }
    while (isBlank(this.#bytes[this.#length - 1])) this.#length--;
    this.#reserve(1);
    this.#bytes[this.#length++] = LINE_FEED;
    this.#rowStart = this.#length;
    this.#rowBytes = 0;
    this.#rows++;
    if (this.#rows % CHECKPOINT_ROWS === 0) this.#checkpoints.push(this.bytes);
  }

  /** The finished rows that were not drained yet: valid until `drop`. */
  finished(): Buffer {
    return this.#bytes.subarray(0, this.#rowStart);
  }

  /** Forgets the finished rows. */
  drop(): void {
    const rest = this.#length - this.#rowStart;
    this.#drained += this.#rowStart;
    const shrink = this.#bytes.length > USUAL_BYTES && rest < USUAL_BYTES / 2;
    const bytes = shrink ? Buffer.allocUnsafe(USUAL_BYTES) : this.#bytes;
    this.#bytes.copy(bytes, 0, this.#rowStart, this.#length);
    this.#bytes = bytes;
    this.#rowStart = 0;
    this.#length = rest;
  }

  #put(chunk: Buffer, from: number, to: number): void {
    this.#reserve(to - from);
    this.#length += chunk.copy(this.#bytes, this.#length, from, to);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
