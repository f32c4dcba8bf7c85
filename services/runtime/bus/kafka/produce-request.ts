/**
 * The body of a Produce request, versions 3 to 8 (https://kafka.apache.org/protocol), as pieces, of which a message's body is one: no byte of
 * it is copied. kafkajs by itself copies it some ten times, into buffers up to twice its size, which costs a publisher more than all else.
 */
import { crc32c } from "./crc32c.js";
import type { KafkaRecord } from "./record.js";

export interface PartitionRecords {
  readonly partition: number;
  readonly messages: readonly KafkaRecord[];
}

export interface ProduceOptions {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly PartitionRecords[] }[];
}

/** Version 2 of the format of record batches. */
const MAGIC = 2;
/** No transaction, and no sequence that the broker would check: no id, no epoch, no first number. */
const NO_PRODUCER = Buffer.alloc(14, 0xff);
const NO_TRANSACTION = int16(-1);

/** @param now milliseconds since 1970, the time of all records */
export function encodeProduce({ acks, timeout, topicData }: ProduceOptions, now: number): readonly Buffer[] {
  const pieces = [NO_TRANSACTION, int16(acks), int32(timeout), int32(topicData.length)];
  for (const { topic, partitions } of topicData) {
    const name = Buffer.from(topic, "utf8");
    pieces.push(int16(name.length), name, int32(partitions.length));
    for (const { partition, messages } of partitions) {
      const batch = encodeBatch(messages, now);
      pieces.push(int32(partition), int32(lengthOf(batch)), ...batch);
    }
  }
  return pieces;
}

/** A record batch of one partition; the broker gives its records their offsets. */
export function encodeBatch(records: readonly KafkaRecord[], now: number): readonly Buffer[] {
  const attributes = int16(0);
  const times = [int64(now), int64(now)];
  const summed = [attributes, int32(records.length - 1), ...times, NO_PRODUCER, int32(records.length), ...records.flatMap(encodeRecord)];
  const leaderEpoch = int32(-1);
  const checked = [leaderEpoch, Buffer.of(MAGIC), uint32(crc32c(summed)), ...summed];
  return [int64(0), int32(lengthOf(checked)), ...checked];
}

export function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function encodeRecord({ key, value, headers }: KafkaRecord, index: number): Buffer[] {
  // No attributes, and no time beyond the batch's.
  const front = Buffer.concat([Buffer.of(0, 0, ...varint(index), ...varint(key.length)), key, Buffer.from(varint(value.length))]);
  const named = Object.entries(headers);
  const back = Buffer.concat([Buffer.from(varint(named.length)), ...named.flatMap(encodeHeader)]);
  return [Buffer.from(varint(front.length + value.length + back.length)), front, value, back];
}

function encodeHeader([name, value]: readonly [string, Buffer]): Buffer[] {
  const text = Buffer.from(name, "utf8");
  return [Buffer.from(varint(text.length)), text, Buffer.from(varint(value.length)), value];
}

/** A whole number of 0 or more, as Kafka writes signed ones: doubled, seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
