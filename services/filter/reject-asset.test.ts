import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AssetExported, AssetOutcome } from "../../proto/gen/maskline/v1/pipeline.js";
import { rejectAsset } from "./reject-asset.js";

const ENVELOPE = { run: "R1", gateway: "g0", packager: "p0", epoch: 2, round: 1, index: 41, part: 0, parts: 0 };
const FAILURE = { code: "failed", reason: "working on it failed 5 times" };

describe("rejectAsset", () => {
  it("rejects the whole asset at its packager, named by what can be seen of its row", () => {
    const row = Buffer.from('{"externalId":"a.png","task":{"taskId":"t1"');
    const [output] = rejectAsset(AssetExported.encode({ envelope: ENVELOPE, row }).finish(), FAILURE) ?? [];
    assert.deepEqual([output?.queue, output?.suffix], ["out.p0", "/x"]);
    assert.deepEqual(AssetOutcome.decode(output?.body ?? Buffer.alloc(0)), {
      envelope: ENVELOPE,
      asset: { taskId: "t1", assetId: "", externalId: "a.png", batches: [], page: undefined },
      outcome: { $case: "rejected", value: FAILURE },
    });
  });

  it("makes nothing of a message that can not be read or belongs nowhere", () => {
    assert.equal(rejectAsset(Buffer.from([0xff, 0xff, 0xff]), FAILURE), undefined);
    assert.equal(rejectAsset(Buffer.alloc(0), FAILURE), undefined);
  });
});
