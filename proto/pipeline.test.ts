import assert from "node:assert/strict";
import { test } from "node:test";
import { assetMessageId, idSuffix, roundOf } from "./pipeline.js";

const envelope = { run: "01K", gateway: "g", packager: "p", epoch: 12, round: 3, index: 45, part: 0, parts: 0 };

test("the round stands in an asset's id and in every id derived from it", () => {
  const id = assetMessageId(envelope);
  for (const derived of [id, id + idSuffix.part(7), id + idSuffix.part(7) + idSuffix.rendered]) assert.equal(roundOf(derived), 3, derived);
  assert.equal(roundOf(assetMessageId({ ...envelope, round: 0 })), 0);
  assert.equal(roundOf(assetMessageId({ ...envelope, round: 4_000_000_000 })), 4_000_000_000);
});

test("an id of another shape has no round", () => {
  for (const id of ["", "a", "run/1/2", "run/1.2", "run/x.2/3"]) assert.equal(roundOf(id), 0, id);
});
