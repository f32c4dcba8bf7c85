/** The checksum of Kafka's record batches: CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes at a time. */

/** The polynomial, its lowest bit first. */
const POLYNOMIAL = 0x82f63b78;
const BYTES = 256;
/** Bytes that are taken together: a table for each. */
const LANES = 8;

/** Table `lane` tells what a byte does to the sum when `lane` more bytes have come behind it. */
const TABLES = makeTables();

/** Of all pieces, one behind the other. */
export function crc32c(pieces: Iterable<Uint8Array>): number {
  let sum = -1;
  for (const piece of pieces) sum = further(sum, piece);
  return ~sum >>> 0;
}

/** Every index is within `bytes` and `TABLES`. */
function further(before: number, bytes: Uint8Array): number {
  const { length } = bytes;
  let sum = before;
  let at = 0;
  for (; at + 8 <= length; at += 8) {
    sum ^= byteOf(bytes, at) | (byteOf(bytes, at + 1) << 8) | (byteOf(bytes, at + 2) << 16) | (byteOf(bytes, at + 3) << 24);
    sum =
      inTable(7, sum & 0xff) ^
      inTable(6, (sum >>> 8) & 0xff) ^
      inTable(5, (sum >>> 16) & 0xff) ^
      inTable(4, sum >>> 24) ^
      inTable(3, byteOf(bytes, at + 4)) ^
      inTable(2, byteOf(bytes, at + 5)) ^
      inTable(1, byteOf(bytes, at + 6)) ^
      inTable(0, byteOf(bytes, at + 7));
  }
  for (; at < length; at++) sum = inTable(0, (sum ^ byteOf(bytes, at)) & 0xff) ^ (sum >>> 8);
  return sum;
}

function byteOf(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

function inTable(lane: number, value: number): number {
  return TABLES[lane * BYTES + value] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(LANES * BYTES);
  for (let value = 0; value < BYTES; value++) {
    let sum = value;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    tables[value] = sum;
  }
  for (let index = BYTES; index < tables.length; index++) {
    const before = tables[index - BYTES] ?? 0;
    tables[index] = (tables[before & 0xff] ?? 0) ^ (before >>> 8);
  }
  return tables;
}
