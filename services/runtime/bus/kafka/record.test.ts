import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fatal } from "../../errors.js";
import { fromRecord, recordBytes, toRecord } from "./record.js";

const message = {
  queue: "raster",
  key: "01J9ZK3V8Q",
  id: "01J9ZK3V8Q/1.0/7",
  headers: { traceparent: "00-aa-bb-01" },
  body: Buffer.from("mask"),
};

describe("a message as Kafka's record", () => {
  it("comes back as it was, with its headers under their own names", () => {
    const record = toRecord(message);
    assert.equal(record.headers.traceparent?.toString(), "00-aa-bb-01");
    const back = fromRecord(record, "raster");
    assert.deepEqual({ ...back, body: Buffer.from(back.body) }, message);
  });

  it("is passed on without a copy, and is a copy of its own when it arrives", () => {
    const slab = Buffer.from("xxmaskxx");
    const record = toRecord({ ...message, body: slab.subarray(2, 6) });
    assert.equal(record.value.buffer, slab.buffer);
    const { body } = fromRecord(record, "raster");
    assert.equal(body.buffer.byteLength, 4);
  });

  it("may not carry a header that is the bus's", () => {
    assert.throws(() => toRecord({ ...message, headers: { "maskline-key": "another run" } }), Fatal);
  });

  it("that somebody else wrote becomes a message as far as it goes", () => {
    assert.deepEqual(fromRecord({ key: null, value: null }, "raster"), {
      queue: "raster",
      key: "",
      id: "",
      headers: {},
      body: new Uint8Array(0),
    });
    const odd = fromRecord({ key: null, value: null, headers: { a: [Buffer.from("1"), "2"], b: undefined, c: "text" } }, "raster");
    assert.deepEqual(odd.headers, { a: "1", b: "", c: "text" });
  });

  it("counts with everything it carries", () => {
    const bytes = recordBytes(toRecord(message));
    const carried = Object.entries({ ...message.headers, key: message.key, id: message.id, body: "mask" }).join("").length;
    assert.ok(bytes > carried, `${bytes} bytes`);
    assert.equal(recordBytes(toRecord({ ...message, body: Buffer.alloc(1_004) })) - bytes, 1_000);
  });
});
