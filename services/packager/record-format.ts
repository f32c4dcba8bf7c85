/*
 * A record of the log: magic (4 bytes), payload length (4), CRC-32 (4), type (1), payload; integers are little-endian. The CRC covers
 * length, type and payload. Records describe themselves, so that reading can go on behind a damaged one.
 */
import { crc32 } from "node:zlib";

export const RECORD_MAGIC = Buffer.from([0xa7, 0x4d, 0x4c, 0x1e]);
export const RECORD_HEADER_BYTES = 13;

/** An AssetOutcome as it arrived. */
export const OUTCOME_RECORD = 1;

/** No message of the bus comes near; a longer one in a header is damage. So no longer one may be appended. */
export const MAX_PAYLOAD_BYTES = 512 * 2 ** 20;

export interface RecordHeader {
  readonly length: number;
  readonly crc: number;
  readonly type: number;
}

export function encodeRecordHeader(type: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  RECORD_MAGIC.copy(header, 0);
  header.writeUInt32LE(payload.length, 4);
  header.writeUInt32LE(crc32(payload, crcStart(payload.length, type)), 8);
  header.writeUInt8(type, 12);
  return header;
}

/** The header that starts with these 13 bytes, or undefined when they are none. */
export function decodeRecordHeader(bytes: Buffer): RecordHeader | undefined {
  if (bytes.length < RECORD_HEADER_BYTES || !bytes.subarray(0, 4).equals(RECORD_MAGIC)) return undefined;
  const header = { length: bytes.readUInt32LE(4), crc: bytes.readUInt32LE(8), type: bytes.readUInt8(12) };
  return header.length > MAX_PAYLOAD_BYTES ? undefined : header;
}

/** The CRC before the payload: go on with `crc32(payload, start)`, in pieces if it is long. */
export function crcStart(length: number, type: number): number {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32LE(length, 0);
  prefix.writeUInt8(type, 4);
  return crc32(prefix);
}
