import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AssetOutcome, MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { rejectAsset } from "./reject-asset.js";

const ENVELOPE = { run: "R1", gateway: "g0", packager: "p0", epoch: 1, round: 0, index: 7, part: 1, parts: 3 };
const ASSET = { taskId: "t1", assetId: "a1", externalId: "x.png", batches: [], page: 2 };
const FAILURE = { code: "failed", reason: "its worker ended five times" };
const encoded = (message: Partial<MaskRequested>) =>
  MaskRequested.encode({
    envelope: undefined,
    asset: undefined,
    width: 1,
    height: 1,
    mode: 1,
    shapes: [],
    dropped: [],
    ...message,
  }).finish();

describe("a mask that the rasterizer gives up on", () => {
  it("ends its own part of the asset, with the reason", () => {
    const [output] = rejectAsset(encoded({ envelope: ENVELOPE, asset: ASSET }), FAILURE) ?? [];
    assert.deepEqual([output?.queue, output?.suffix], ["out.p0", "/x"]);
    const outcome = AssetOutcome.decode(output?.body ?? Buffer.alloc(0));
    assert.deepEqual(outcome, { envelope: ENVELOPE, asset: ASSET, outcome: { $case: "rejected", value: FAILURE } });
  });

  it("is dropped when nobody can be told", () => {
    assert.equal(rejectAsset(encoded({ asset: ASSET }), FAILURE), undefined);
    assert.equal(rejectAsset(encoded({ envelope: { ...ENVELOPE, packager: "" } }), FAILURE), undefined);
    assert.equal(rejectAsset(Buffer.from("no message"), FAILURE), undefined);
  });
});
