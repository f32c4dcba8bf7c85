import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { classMapping } from "../support/archive.js";
import { type Finished, type Pipeline, startPipeline } from "./pipeline.js";
import { readMask, valuesOf } from "./read-mask.js";
import { polygon, row, segmentation, square } from "./rows.js";

const CLASSES = Array.from({ length: 6 }, (_, index) => ({
  schemaId: `c${index}`,
  title: `Class ${index}`,
  tool: index % 2 === 0 ? "polygon" : "segmentation",
  color: `#0${index}10f${index}`,
}));

/** Six squares side by side, one a class. */
const six = row({
  id: "six",
  size: [40, 6],
  tools: CLASSES.map(({ title, schemaId, tool }, index) =>
    tool === "polygon"
      ? polygon(title, schemaId, square(index * 6, 1, 3))
      : segmentation(title, schemaId, { region: square(index * 6, 1, 3), holes: [] }),
  ),
});

const EXPECTED: Readonly<Record<string, { values: readonly unknown[]; channels: number }>> = {
  single_channel_sequential: { values: [1, 2, 3, 4, 5, 6], channels: 1 },
  single_channel_diverging: { values: [255, 128, 192, 64, 96, 32], channels: 1 },
  multi_channel_qualitative: {
    values: [
      [31, 119, 180],
      [255, 127, 14],
      [44, 160, 44],
      [214, 39, 40],
      [148, 103, 189],
      [140, 86, 75],
    ],
    channels: 3,
  },
  project_colors: { values: [0, 1, 2, 3, 4, 5].map((index) => [index, 0x10, 0xf0 + index]), channels: 3 },
};

describe("masks of a Hub session", () => {
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await startPipeline({ rows: [six], project: { categorySchema: { tools: CLASSES } } });
  });
  after(() => pipeline.close());

  for (const [mapping, { values, channels }] of Object.entries(EXPECTED)) {
    it(`have the documented values with ${mapping}, and the mapping file agrees with the pixels`, async () => {
      const { archive } = await pipeline.run({ class_mapping_type: mapping });
      assert.ok(archive);
      const mask = await readMask(archive.get("six.png"));
      assert.deepEqual([mask.width, mask.height, mask.channels], [40, 6, channels]);
      const inPicture = CLASSES.map((_, index) => mask.pixels[2 * 40 + index * 6 + 1]);
      assert.deepEqual(inPicture, values.map(String));
      assert.deepEqual(
        [...classMapping(archive)],
        CLASSES.map(({ title }, index) => [title, values[index]]),
      );
      const background = channels === 1 ? "0" : "0,0,0";
      assert.deepEqual(valuesOf(mask), [...new Set([background, ...values.map(String)])].sort());
      assert.equal(
        archive.get("class_mapping.txt")?.toString(),
        `{${CLASSES.map(({ title }, index) => `'${title}': ${python(values[index])}`).join(", ")}}\n`,
      );
    });
  }
});

function python(value: unknown): string {
  return Array.isArray(value) ? `(${value.join(", ")})` : String(value);
}

describe("an export with everything that can be wrong with an asset or an object", () => {
  const rows = [
    row({
      id: "good",
      tools: [polygon("Road", "road", square(2, 2, 4)), segmentation("Car", "car", { region: square(4, 4, 6), holes: [square(6, 6, 2)] })],
    }),
    '{"this is": not JSON',
    row({ id: "no-tools", tools: null }),
    row({ id: "unknown-class", tools: [polygon("Ghost", "ghost", square(1, 1, 3)), polygon("Road", "road", square(8, 8, 2))] }),
    row({ id: "no-points", tools: [polygon("Road", "road", [])] }),
    row({ id: "far-away", tools: [polygon("Road", "road", square(-2_000_000, -2_000_000, 2_000_003))] }),
    row({ id: "no-size", size: null, tools: [polygon("Road", "road", square(1, 1, 3))] }),
    row({ id: "boxes", tools: [{ objectId: "b", schemaId: "box", title: "Box", "bounding-box": { x: 1, y: 1, width: 2, height: 2 } }] }),
    row({
      id: "bad-number",
      tools: [
        polygon("Road", "road", [
          [1, 1],
          [null, 4],
          [4, 4],
        ]),
      ],
    }),
    row({ id: "last", tools: [polygon("Tree", "tree", square(0, 0, 20))] }),
  ];
  let pipeline: Pipeline;
  let finished: Finished;
  let manifest: Record<string, unknown>[];
  before(async () => {
    pipeline = await startPipeline({ rows });
    finished = await pipeline.run();
    const lines = finished.archive?.get("manifest.ndjson")?.toString().trimEnd().split("\n") ?? [];
    manifest = lines.map((line) => JSON.parse(line));
  });
  after(() => pipeline.close());

  const entry = (index: number) => {
    const found = manifest.find((line) => line.index === index);
    assert.ok(found, `the manifest has a line for row ${index}`);
    return found;
  };

  it("ends with an archive, and the manifest names every row once, in the order of the export", () => {
    assert.equal(finished.handle.results.length, 1);
    assert.deepEqual(
      manifest.map(({ index }) => index),
      rows.map((_, index) => index),
    );
  });

  it("paints what is well, pixel by pixel", async () => {
    const mask = await readMask(finished.archive?.get("good.png"));
    const rowsOfMask = Array.from({ length: 12 }, (_, y) => mask.pixels.slice(y * 16, y * 16 + 16).join(""));
    assert.deepEqual(rowsOfMask, [
      "0000000000000000",
      "0000000000000000",
      "0011111000000000",
      "0011111000000000",
      "0011222222200000",
      "0011222222200000",
      "0011221002200000",
      "0000220002200000",
      "0000220002200000",
      "0000222222200000",
      "0000222222200000",
      "0000000000000000",
    ]);
  });

  it("rejects a line that is not JSON, and says where it breaks", () => {
    assert.equal(entry(1).code, "unreadable_row");
    assert.match(String(entry(1).reason), /not JSON/);
  });

  it("makes a background mask of a task without tools", async () => {
    assert.deepEqual(valuesOf(await readMask(finished.archive?.get("no-tools.png"))), ["0"]);
  });

  it("drops an object of an unknown class, paints the others, and counts it", async () => {
    assert.deepEqual(entry(3).dropped, { "unknown class": 1 });
    assert.deepEqual(valuesOf(await readMask(finished.archive?.get("unknown-class.png"))), ["0", "1"]);
  });

  it("drops a shape without points and counts it", () => assert.deepEqual(entry(4).dropped, { "no points": 1 }));

  it("clips coordinates far outside", async () => {
    const mask = await readMask(finished.archive?.get("far-away.png"));
    assert.equal(mask.pixels.filter((value) => value === "1").length, 16);
    assert.equal(mask.pixels[3 * 16 + 3], "1");
    assert.equal(mask.pixels[4 * 16 + 4], "0");
  });

  it("rejects an asset whose size nobody tells", () => assert.equal(entry(6).code, "no_size"));

  it("counts tools that are not painted under their own name", () => assert.deepEqual(entry(7).dropped, { "bounding-box": 1 }));

  it("rejects an asset with a coordinate that is no number", () => assert.equal(entry(8).code, "bad_geometry"));

  it("tells the user all of it in one last line", () => {
    const last = finished.lines.at(-1) ?? "";
    assert.match(last, /^WARNING Done in/);
    assert.match(last, /7 masks/);
    assert.match(last, /Rejected: .*1 \(the row of the export can not be read\)/);
    assert.match(last, /1 bounding box/);
  });

  it("lists every row in the table for people too", () => {
    const table = finished.archive?.get("manifest.csv")?.toString().trimEnd().split("\r\n") ?? [];
    assert.equal(table[0], "externalId,taskId,file,outcome,reason");
    assert.equal(table.length, rows.length + 1);
  });

  it("does nothing that the protocol does not allow", () => assert.deepEqual(pipeline.hub.violations, []));
});
