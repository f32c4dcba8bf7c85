import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeNote, encodeNote, finishedIn, type Stretch } from "./note.js";

const LONG = 1_000;
const stretches: readonly Stretch[] = [
  { fate: 2, length: 1 },
  { fate: "done", length: 40 },
  { fate: 1, length: 3 },
];

describe("the note of a commit", () => {
  it("is a few characters for many messages, and read as it was written", () => {
    const text = encodeNote({ taker: "0af1", stretches }, LONG);
    assert.equal(text, "maskline1 0af1 2,dx40,1x3");
    assert.deepEqual(decodeNote(text), { taker: "0af1", stretches });
    assert.equal(finishedIn(stretches), 40);
  });

  it("says nothing of messages at the end that were never delivered", () => {
    const text = encodeNote({ taker: "aa", stretches: [...stretches, { fate: 0, length: 500 }] }, LONG);
    assert.deepEqual(decodeNote(text)?.stretches, stretches);
    assert.deepEqual(decodeNote(encodeNote({ taker: "aa", stretches: [{ fate: 0, length: 9 }] }, LONG)), { taker: "aa", stretches: [] });
  });

  it("leaves out what does not fit, and stays readable", () => {
    for (let length = 15; length < 26; length++) {
      const read = decodeNote(encodeNote({ taker: "0af1", stretches }, length));
      assert.ok(read, `of ${length} characters`);
      assert.deepEqual(read.stretches, stretches.slice(0, read.stretches.length));
    }
  });

  for (const text of [
    null,
    "",
    "anything",
    "maskline1",
    "maskline1 aa d,",
    "maskline1 aa dx0",
    "maskline1 aa 1x9999999",
    "maskline2 aa d",
  ]) {
    it(`that reads ${JSON.stringify(text)} is none of ours`, () => assert.equal(decodeNote(text), undefined));
  }
});
