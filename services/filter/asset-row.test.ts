import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { glimpseIdentity, readAssetRow } from "./asset-row.js";
import { Rejection } from "./rejection.js";

const read = (row: unknown) => readAssetRow(Buffer.from(JSON.stringify(row)));

function rejectionOf(text: string | Buffer): Rejection {
  try {
    readAssetRow(Buffer.from(text));
  } catch (error) {
    assert.ok(error instanceof Rejection);
    return error;
  }
  return assert.fail("the row was read");
}

describe("readAssetRow", () => {
  it("reads a v3 row", () => {
    const row = read({
      asset: "https://files.example/a.png",
      assetId: "a1",
      externalId: "a.png",
      metadata: { width: 640, height: 480 },
      batches: ["one", null, 7, "two"],
      task: {
        taskId: "t1",
        stage: "Complete",
        stageId: "Complete",
        tools: [{ objectId: "o1", schemaId: "s1", title: "Car", polygon: [[1, 2]], page: 0 }],
        stageHistory: [{ stage: "Label", stageId: "l", completedAt: "2024-01-01T00:00:00Z", reviewStatus: null }, null],
        brushDataUrl: "https://files.example/brush.png",
      },
    });
    assert.equal(row.version, 3);
    assert.deepEqual([row.assetId, row.externalId, row.batches], ["a1", "a.png", ["one", "two"]]);
    assert.deepEqual([row.width, row.height, row.frames, row.pages], [640, 480, undefined, 0]);
    const [task] = row.tasks;
    assert.deepEqual([task.taskId, task.stage, task.hasBrush, task.hasMedicalBrush], ["t1", "Complete", true, false]);
    assert.deepEqual(task.history, [{ stage: "Label", stageId: "l", completedAt: Date.UTC(2024, 0, 1), reviewStatus: "" }]);
    assert.deepEqual(task.tools, [
      { objectId: "o1", schemaId: "s1", title: "Car", page: 0, stopped: false, kind: "polygon", geometry: [[1, 2]] },
    ]);
  });

  it("reads a v2 row with several tasks", () => {
    const row = read({
      externalId: "a.png",
      labeledAt: "2021-12-08T12:31:36.043Z",
      reviewedAt: null,
      tasks: [
        { taskId: "t1", isSkipped: true, status: "Skipped", objects: null },
        null,
        {
          taskId: "t2",
          completedAt: "2021-12-08T12:31:36.043Z",
          completedBy: [],
          review: { status: "Todo" },
          objects: [{ point: [1, 1] }],
        },
      ],
    });
    assert.equal(row.version, 2);
    assert.deepEqual([row.labeledAt, row.reviewedAt], [true, false]);
    assert.deepEqual(
      row.tasks.map(({ taskId, isSkipped, reviewStatus, tools }) => [taskId, isSkipped, reviewStatus, tools.map(({ kind }) => kind)]),
      [
        ["t1", true, "", []],
        ["t2", false, "Todo", ["point"]],
      ],
    );
  });

  it("takes missing fields and nulls for nothing", () => {
    const row = read({ task: { tools: null, stageHistory: null, review: null }, batches: null, metadata: null, dataset: null });
    assert.deepEqual([row.batches, row.pages, row.frames, row.width], [[], 0, undefined, undefined]);
    assert.deepEqual([row.tasks[0].taskId, row.tasks[0].tools, row.tasks[0].history], ["", [], []]);
  });

  it("skips a byte order mark", () => {
    assert.equal(readAssetRow(Buffer.from(`\ufeff${JSON.stringify({ task: { taskId: "t" } })}`)).tasks[0].taskId, "t");
  });

  const kinds: readonly (readonly [tool: object, kind: string])[] = [
    [{ polygon: [] }, "polygon"],
    [{ polygon: null }, "polygon"],
    [{ segmentation: null }, "segmentation"],
    [{ polygon: null, "bounding-box": { x: 1 } }, "bounding-box"],
    [{ polygon: false }, "no geometry"],
    [{ polygon: false, segmentation: false, "bounding-box": { x: 1 } }, "bounding-box"],
    [{ classifications: [], metadata: {}, cuboid: { x: 1 } }, "cuboid"],
    [{ "medical-brush": true, classifications: [] }, "medical-brush"],
    [{ "a name\nthat breaks lines": {} }, "no geometry"],
    [{ interpolationStopped: true, classifications: [{}], masks: ["https://files.example/m.png"] }, "no geometry"],
  ];
  for (const [tool, kind] of kinds) {
    it(`calls ${JSON.stringify(tool)} "${kind}"`, () => {
      assert.equal(read({ task: { tools: [tool] } }).tasks[0].tools[0]?.kind, kind);
    });
  }

  it("tells where a row stops being JSON, and how it starts", () => {
    const { code, message } = rejectionOf('{"externalId":"a.png","task":{"tools":[}}');
    assert.equal(code, "unreadable_row");
    assert.match(message, /"}" can not stand at character 40 of 41; it starts with: \{"externalId":"a\.png"/);
    assert.match(rejectionOf('{"externalId":"a').message, /ends too early, after 16 characters/);
    assert.match(rejectionOf("").message, /is empty/);
  });

  it("keeps the beginning short and without the queries of URLs", () => {
    const { message } = rejectionOf(`{"asset":"https://files.example/a.png?X-Amz-Signature=5ec4e7","x":"${"y".repeat(500)}`);
    assert.ok(!message.includes("5ec4e7"));
    assert.match(message, /https:\/\/files\.example\/a\.png\?"/);
    assert.ok(message.length < 250);
    assert.ok(!rejectionOf(`{"asset":"https:\\/\\/files.example\\/a.png\\u003fX-Amz-Signature=5ec4e7"`).message.includes("5ec4e7"));
    assert.ok(!rejectionOf(`{"asset":"https://files.example/a.png?X-Amz-Signature=5ec4e7"}`).message.includes("5ec4e7"));
  });

  for (const text of [
    "null",
    "7",
    '"text"',
    "[]",
    "{}",
    '{"task":null}',
    '{"task":[]}',
    '{"tasks":[]}',
    '{"tasks":[null]}',
    '{"tasks":{}}',
  ]) {
    it(`rejects ${text}, which has no task`, () => {
      const { code, message } = rejectionOf(text);
      assert.equal(code, "unreadable_row");
      assert.match(message, /task/);
    });
  }

  it("rejects a row that the gateway left out for its length as over a limit", () => {
    assert.equal(rejectionOf("!maskline:row-too-long:70000000:67108864").code, "over_limit");
    assert.match(rejectionOf("!maskline:row-too-long:70000000:67108864").message, /70000000 bytes, more than the 67108864 that/);
  });

  it("survives nesting of any depth", () => {
    assert.equal(rejectionOf("[".repeat(100_000)).code, "unreadable_row");
    assert.equal(rejectionOf(`${"[".repeat(100_000)}${"]".repeat(100_000)}`).code, "unreadable_row");
  });
});

describe("glimpseIdentity", () => {
  it("finds the ids of a row that is broken further on", () => {
    const found = glimpseIdentity(Buffer.from('{"externalId" : "a\\u00e9 \\"1\\".png","assetId":"a1","task":{"taskId":"t1","tools":['));
    assert.deepEqual(found, { taskId: "t1", assetId: "a1", externalId: 'a\u00e9 "1".png', batches: [] });
  });

  it("finds nothing where nothing is", () => {
    assert.deepEqual(glimpseIdentity(Buffer.from('{"taskId":7,"assetId":"cut')), { taskId: "", assetId: "", externalId: "", batches: [] });
  });
});
