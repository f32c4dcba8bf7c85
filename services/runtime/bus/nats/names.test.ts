import assert from "node:assert/strict";
import { test } from "node:test";
import { durableName, keyIn, queueSubjects, streamName, streamSubjects, subjectOf } from "./names.js";

test("a queue's first word names its stream, and the whole queue its consumer and subjects", () => {
  assert.equal(streamName("maskline", "out"), "maskline-out");
  assert.equal(streamSubjects("maskline", "out"), "maskline.out.>");
  assert.equal(durableName("out.packager-0"), "out~packager-0");
  assert.equal(queueSubjects("maskline", "out.packager-0"), "maskline.out.packager-0.*");
  assert.equal(subjectOf("maskline", "out.packager-0", "01J9ZK"), "maskline.out.packager-0.01J9ZK");
});

test("a key comes back out of its subject, whatever it is made of", () => {
  for (const key of ["01J9ZK3V8QH2N5T7W4X6Y8Z0AB", "a_b-c", "", "a.b", "a b", "*", ">", "ä", "=x"]) {
    const subject = subjectOf("maskline", "filter", key);
    assert.equal(keyIn(subject), key);
    assert.match(subject, /^maskline\.filter\.[A-Za-z0-9_=-]+$/);
  }
});
