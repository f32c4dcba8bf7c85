import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { logRecord, MAX_FRAME_BYTES, truncate } from "./log-record.js";

const session = {
  session: "s-1",
  projectId: "p",
  apiKey: "key-0123",
  orgId: "org",
  runBy: "user",
  configJson: undefined,
  stage: undefined,
  batches: [],
};

test("a record has Hub's keys in Hub's order, all texts", () => {
  assert.equal(
    JSON.stringify(logRecord(session, "plugin-1", "INFO", "hello")),
    '{"level":"INFO","organization":"org","pluginId":"plugin-1","runBy":"user","session":"s-1","msg":"hello"}',
  );
});

test("any record fits its frame, however it must be escaped", () => {
  for (const unit of ["\u0000", "a", "é", "\u{1F600}", "\uD800"]) {
    const long = { ...session, orgId: unit.repeat(300_000), runBy: unit.repeat(300_000) };
    const record = logRecord(long, "plugin-1", "INFO", unit.repeat(300_000));
    assert.ok(Buffer.byteLength(JSON.stringify(["log", record])) < MAX_FRAME_BYTES, JSON.stringify(unit));
  }
});

test("cutting never tears a pair of surrogates", () => {
  assert.equal(truncate("ab\u{1F600}cd", 3), "ab... (4 more characters)");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, length) => {
      const cut = truncate(text, length);
      assert.equal(Buffer.from(cut, "utf8").toString("utf8"), cut);
    }),
  );
});
