/**
 * The bytes of Contour.deltas: each number zigzagged into a varint, as a packed `repeated sint32` has them (Protocol Buffers, Encoding). Read
 * and written here and not by the generated code, which makes an array of numbers each time: that took longer than a tenth of a mask's painting.
 */

/** Of one delta, at most. */
export const MOST_DELTA_BYTES = 5;

const MORE = 0x80;
const LOW_BITS = 0x7f;

/** Writes a 32-bit integer at an offset, where there must be room; gives the offset behind it. */
export function putDelta(bytes: Uint8Array, offset: number, delta: number): number {
  let at = offset;
  let left = ((delta << 1) ^ (delta >> 31)) >>> 0;
  while (left > LOW_BITS) {
    bytes[at++] = left | MORE;
    left >>>= 7;
  }
  bytes[at++] = left;
  return at;
}

/** 32-bit integers as bytes. */
export function encodeDeltas(deltas: ArrayLike<number>): Buffer {
  const bytes = Buffer.allocUnsafe(deltas.length * MOST_DELTA_BYTES);
  let at = 0;
  for (let i = 0; i < deltas.length; i++) at = putDelta(bytes, at, deltas[i] as number);
  return bytes.subarray(0, at);
}

/** How many numbers these bytes are; undefined when they are not whole numbers of at most 5 bytes. */
export function countDeltas(bytes: Uint8Array): number | undefined {
  let count = 0;
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    length++;
    if ((bytes[at] as number) < MORE) {
      count++;
      length = 0;
    } else if (length === MOST_DELTA_BYTES) {
      return undefined;
    }
  }
  return length === 0 ? count : undefined;
}

/** The 32-bit integers behind bytes that are whole numbers; none behind others. */
export function decodeDeltas(bytes: Uint8Array): Int32Array {
  const deltas = new Int32Array(countDeltas(bytes) ?? 0);
  let at = 0;
  for (let i = 0; i < deltas.length; i++) {
    let byte = bytes[at++] as number;
    let value = byte & LOW_BITS;
    for (let shift = 7; byte >= MORE; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & LOW_BITS) << shift;
    }
    deltas[i] = (value >>> 1) ^ -(value & 1);
  }
  return deltas;
}
