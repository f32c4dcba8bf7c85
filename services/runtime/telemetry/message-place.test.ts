import assert from "node:assert/strict";
import { test } from "node:test";
import { assetMessageId, idSuffix } from "../../../proto/pipeline.js";
import { inputIdOf, placeOf } from "./message-place.js";

const RUN = "01JABCDEFGHJKMNPQRSTVWXYZ0";
const asset = assetMessageId({ run: RUN, gateway: "g", packager: "p", epoch: 2, round: 1, index: 17, part: 0, parts: 0 });

test("an asset's id tells its run and index", () => {
  assert.deepEqual(placeOf(asset), { run: RUN, index: 17, part: undefined });
});

for (const suffix of [idSuffix.filtered, idSuffix.gaveUp]) {
  test(`an outcome of the whole asset (${suffix}) tells them too`, () => {
    assert.deepEqual(placeOf(asset + suffix), { run: RUN, index: 17, part: undefined });
  });
}

test("what is made of a part tells the part", () => {
  assert.deepEqual(placeOf(asset + idSuffix.part(3)), { run: RUN, index: 17, part: 3 });
  assert.deepEqual(placeOf(asset + idSuffix.part(3) + idSuffix.rendered), { run: RUN, index: 17, part: 3 });
});

test("an output's input is found by its id", () => {
  assert.equal(inputIdOf(asset + idSuffix.part(3)), asset);
  assert.equal(inputIdOf(asset + idSuffix.part(3) + idSuffix.rendered), asset + idSuffix.part(3));
  assert.equal(inputIdOf("none"), "");
});

for (const id of ["", "run/1.0/2", `${RUN}/1.0`, `${RUN}/1.0/x`, `${RUN}/1.0/2/../3`]) {
  test(`${JSON.stringify(id)} is no id of the pipeline`, () => assert.equal(placeOf(id), undefined));
}
