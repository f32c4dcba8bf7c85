import assert from "node:assert/strict";
import { test } from "node:test";
import { type ManifestRow, manifestLine, tableHeader, tableRow } from "./manifest.js";

const identity = { index: 3, part: undefined, page: undefined, taskId: "t", assetId: "a", externalId: "x.jpg", batches: ["b"] };
const maskRow: ManifestRow = {
  ...identity,
  part: { number: 2, of: 12 },
  result: {
    outcome: "mask",
    file: "t-02.png",
    width: 4,
    height: 2,
    sha256: Buffer.from("00ff", "hex"),
    pixels: [
      ["Car", 5],
      ["1", 3],
    ],
    dropped: [["bounding-box", 2]],
  },
};
const rejectedRow = (externalId: string, reason: string): ManifestRow => ({
  ...identity,
  externalId,
  result: { outcome: "rejected", code: "no_size", reason },
});

test("a mask's line tells file, size, hash, pixels by class in class order, and what was dropped", () => {
  assert.equal(
    manifestLine(maskRow),
    '{"index":3,"part":2,"parts":12,"taskId":"t","assetId":"a","externalId":"x.jpg","batches":["b"],"outcome":"mask","file":"t-02.png",' +
      '"width":4,"height":2,"sha256":"00ff","pixels":{"Car":5,"1":3},"dropped":{"bounding-box":2}}\n',
  );
});

test("a left-out asset's line tells why", () => {
  assert.deepEqual(JSON.parse(manifestLine(rejectedRow("x", "a\nb"))), {
    index: 3,
    taskId: "t",
    assetId: "a",
    externalId: "x",
    batches: ["b"],
    outcome: "rejected",
    code: "no_size",
    reason: "a\nb",
  });
  const skipped: ManifestRow = { ...identity, result: { outcome: "skipped", rule: "not_labeled", reason: "nobody labeled it" } };
  assert.match(manifestLine(skipped), /"outcome":"skipped","rule":"not_labeled","reason":"nobody labeled it"\}\n$/);
});

test("the table quotes as RFC 4180 wants it", () => {
  assert.equal(tableRow(maskRow), "x.jpg,t,t-02.png,mask,\r\n");
  assert.equal(tableRow(rejectedRow('a,"b"', "two\nlines")), '"a,""b""",t,,rejected,"two\nlines"\r\n');
});

test("no cell of the table is a formula", () => {
  for (const start of ["=", "+", "-", "@", "\t"]) assert.ok(tableRow(rejectedRow(`${start}cmd()`, "r")).startsWith(`'${start}cmd()`));
  assert.ok(tableRow(rejectedRow('=HYPERLINK("u")', "r")).startsWith(`"'=HYPERLINK(""u"")",`));
});

test("in an archive of volumes a mask tells which one it lies in", () => {
  assert.match(manifestLine(maskRow, 3), /"file":"t-02.png","volume":3,"width"/);
  assert.equal(tableHeader(true), "externalId,taskId,file,outcome,reason,volume\r\n");
  assert.equal(tableRow(maskRow, 3), "x.jpg,t,t-02.png,mask,,3\r\n");
  assert.equal(tableRow(rejectedRow("x", "r"), "none"), "x,t,,rejected,r,\r\n");
});

test("a mask of one page or frame of several tells which", () => {
  assert.match(manifestLine({ ...maskRow, page: 40 }), /"part":2,"parts":12,"page":40,"taskId"/);
});
