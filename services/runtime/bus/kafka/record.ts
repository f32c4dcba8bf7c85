/** Messages as Kafka's records and back. The record's key is the message's id; the run travels as a header. */
import { Fatal } from "../../errors.js";
import type { OutgoingMessage } from "../bus.js";

/** Headers of ours begin so; a message's own are kept under their names, so that other tools find `traceparent`. */
const OURS = "maskline-";
const KEY = `${OURS}key`;

/** Of the record itself, and of each of its headers, at most. */
const RECORD_OVERHEAD = 128;
const HEADER_OVERHEAD = 10;

export interface KafkaRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Record<string, Buffer>;
}

/** What kafkajs hands out. */
export interface FetchedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
}

/** @throws Fatal for headers that would be taken for ours */
export function toRecord({ key, id, headers, body }: OutgoingMessage): KafkaRecord {
  const encoded: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(OURS)) {
      throw new Fatal(`message ${id} has a header ${JSON.stringify(name)}; names that begin with ${OURS} are the bus's`);
    }
    encoded[name] = Buffer.from(value, "utf8");
  }
  encoded[KEY] = Buffer.from(key, "utf8");
  return { key: Buffer.from(id, "utf8"), value: Buffer.from(body.buffer, body.byteOffset, body.byteLength), headers: encoded };
}

/** A record that is none of ours becomes a message as far as it goes: its consumer can not read it, and says so. */
export function fromRecord({ key, value, headers }: FetchedRecord, queue: string): OutgoingMessage {
  const own: Record<string, string> = {};
  let run = "";
  for (const [name, value] of Object.entries(headers ?? {})) {
    const text = String((Array.isArray(value) ? value[0] : value) ?? "");
    if (name === KEY) run = text;
    else if (!name.startsWith(OURS)) own[name] = text;
  }
  // A copy, for the value is a view of all that was fetched with it, which would stay in memory as long as it.
  return { queue, key: run, id: key?.toString("utf8") ?? "", headers: own, body: value ? new Uint8Array(value) : new Uint8Array(0) };
}

/** Bytes of the record in a request and on the broker's disk, at most. */
export function recordBytes({ key, value, headers }: KafkaRecord): number {
  const ofHeaders = Object.entries(headers).map(([name, { length }]) => Buffer.byteLength(name) + length + HEADER_OVERHEAD);
  return RECORD_OVERHEAD + key.length + value.length + ofHeaders.reduce((sum, size) => sum + size, 0);
}
