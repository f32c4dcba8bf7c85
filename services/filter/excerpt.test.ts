import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpt } from "./excerpt.js";

test("the query of a URL is never quoted, also where a row was cut in the middle of it", () => {
  for (const [text, quoted] of [
    ['"https://host/a.png?X-Amz-Signature=canary"', '"https://host/a.png?"'],
    ['"https://host/a.png\\u003fX-Amz-Signature=canary"', '"https://host/a.png?"'],
    ['X-Amz-Signature=canary","assetId":"a"', '?","assetId":"a"'],
    ['{"a":"b","assetX-Amz-Signature=canary","c', '{"a":"b","asset?","c'],
    ["Date=1&X-Goog-Signature=canary&x=canary", "Date=1&?"],
  ] as const) {
    assert.equal(excerpt(text), quoted);
  }
});

test("what would move a terminal's cursor is a blank", () => {
  assert.equal(excerpt("a\u0000\u001b[31mb\u009bc\u2028d"), "a [31mb c d");
});
