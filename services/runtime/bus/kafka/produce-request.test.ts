import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crc32c } from "./crc32c.js";
import { encodeBatch, encodeProduce, lengthOf } from "./produce-request.js";

const NOW = 0x0123_4567_89ab;
const record = (value: Buffer, headers: Readonly<Record<string, Buffer>> = {}) => ({ key: Buffer.from("id"), value, headers });
const hexOf = (pieces: readonly Buffer[]) => Buffer.concat(pieces).toString("hex");

describe("a record batch", () => {
  it("is written as Kafka's format says", () => {
    const written = Buffer.concat(encodeBatch([record(Buffer.from("abc"), { h: Buffer.from("v") }), record(Buffer.alloc(0))], NOW));
    const summed = [
      // Attributes, the last record's number, first and last time, producer's id, epoch and first number, records.
      "0000 00000001 00000123456789ab 00000123456789ab ffffffffffffffff ffff ffffffff 00000002",
      // Length, attributes, time, number, key, value, headers; lengths are doubled, for they could be negative.
      "1e 00 00 00 04 6964 06 616263 02 02 68 02 76",
      "10 00 00 02 04 6964 00 00",
    ];
    const body = Buffer.from(summed.join("").replaceAll(" ", ""), "hex");
    // First offset, length of what follows, the leader's epoch, magic.
    const head = Buffer.from(`0000000000000000${(body.length + 9).toString(16).padStart(8, "0")}ffffffff02`, "hex");
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32c([body]));
    assert.equal(written.toString("hex"), Buffer.concat([head, sum, body]).toString("hex"));
  });

  it("has lengths of several bytes where one is not enough, with the low bits first", () => {
    for (const [length, varint] of [
      [63, "7e"],
      [64, "8001"],
      [8_191, "fe7f"],
      [8_192, "808001"],
      [262_144, "808020"],
    ] as const) {
      const value = Buffer.alloc(length, 0xee);
      const pieces = encodeBatch([record(value)], NOW);
      assert.ok(pieces.includes(value), "the body itself is one of the pieces");
      const front = pieces[pieces.indexOf(value) - 1]?.toString("hex");
      assert.equal(front, `000000046964${varint}`);
    }
  });
});

describe("a Produce request", () => {
  it("tells the batch of each partition with its length", () => {
    const [first, second] = [[record(Buffer.from("a"))], [record(Buffer.from("b")), record(Buffer.from("c"))]];
    const partitions = [
      { partition: 3, messages: first },
      { partition: 10, messages: second },
    ];
    const written = hexOf(encodeProduce({ acks: -1, timeout: 10_000, topicData: [{ topic: "m.x", partitions }] }, NOW));
    const batch = (records: typeof first) => {
      const pieces = encodeBatch(records, NOW);
      return `${lengthOf(pieces).toString(16).padStart(8, "0")}${hexOf(pieces)}`;
    };
    const head = "ffff ffff 00002710 00000001 0003 6d2e78 00000002".replaceAll(" ", "");
    assert.equal(written, `${head}00000003${batch(first)}0000000a${batch(second)}`);
  });
});
