import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeDeltas } from "../../proto/deltas.js";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { filterAsset } from "./filter-asset.js";
import { prepareContext } from "./filter-context.js";
import { liftCoordinates } from "./lift-coordinates.js";

const lift = (row: string) => {
  const lifted = liftCoordinates(Buffer.from(row));
  return (
    lifted && { json: lifted.json.toString(), contours: lifted.contours.map(({ points, deltas }) => [points, ...decodeDeltas(deltas)]) }
  );
};

describe("lifting coordinates out of a row", () => {
  it("leaves a number in the place of every list of points", () => {
    const zones = `{"zones": [{"region": [[1,2],[4, 6]], "holes": [[[7,7]], [], [[8,8]]]}, {"region": null, "holes": null}]}`;
    assert.deepEqual(lift(`{"tools": [{"polygon": [[0.5, 1.5] , [-2,-3.4999]]}, {"segmentation": ${zones}}], "n": [[1]]}`), {
      json: `{"tools": [{"polygon": [0]}, {"segmentation": {"zones": [{"region": [1], "holes": [[2], [], [3]]}, {"region": null, "holes": null}]}}], "n": [[1]]}`,
      contours: [
        [2, 0, 2, -2, -5],
        [2, 1, 2, 3, 4],
        [1, 7, 7],
        [1, 8, 8],
      ],
    });
  });

  it("does not take texts for keys, nor what is written in them for coordinates", () => {
    const row = `{"note": "\\"polygon\\": [[1,2]]", "polygon ": [[1]], "list": ["polygon", [[1]]]}`;
    assert.deepEqual(lift(row), { json: row, contours: [] });
  });

  const OTHERWISE = {
    "an exponent": "[[1e2,3]]",
    "a third coordinate": "[[1,2,3]]",
    "one coordinate": "[[1]]",
    "a zero in front": "[[01,2]]",
    "no digit before the dot": "[[.5,2]]",
    "no digit after the dot": "[[1.,2]]",
    "more digits than a double holds": "[[1.0000000000000001,2]]",
    "a number beyond 32 bits": "[[2147483648,2]]",
    "a text": `[["1",2]]`,
    "null among points": "[[1,2],null]",
    "a comma too many": "[[1,2],]",
    "an object": "{}",
    "the end of the row": "[[1,2]",
  };
  for (const [what, points] of Object.entries(OTHERWISE)) {
    it(`leaves the row to the ordinary way for ${what}`, () => assert.equal(lift(`{"polygon": ${points}`), undefined));
  }

  it("leaves the row to the ordinary way for an escaped key, which may be any", () =>
    assert.equal(lift(`{"poly\\u0067on": [[1,2]]}`), undefined));
});

/** Numbers and other things as they may stand in a row, also where they must not. */
const token = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -5000, max: 5000, noNaN: true }).map((value) => value.toFixed(1)) },
  { weight: 4, arbitrary: fc.double({ min: -2147483649, max: 2147483648, noNaN: true }).map(String) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("0.5", "1.5", "2.5", "-0.5", "-0", "2147483647.4", "2147483647.5", "-2147483648.5", "12345.6789012345"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("1e2", "01", "1.", ".5", "-", "NaN", "null", `"7"`, "[1]", "{}", "2147483648", "", "1.0000000000000001"),
  },
);
const blank = fc.constantFrom("", "", "", " ", "\n\t");
const pair = fc.tuple(blank, token, blank, token, blank).map(([a, x, b, y, c]) => `[${a}${x}${b},${c}${y}]`);
const point = fc.oneof({ weight: 40, arbitrary: pair }, { weight: 1, arbitrary: fc.constantFrom("null", "[]", "[1]", "[1,2,3]", "7", "") });
const listOf = (items: fc.Arbitrary<string>, most: number) =>
  fc.tuple(fc.array(items, { maxLength: most }), blank).map(([list, gap]) => `[${list.join(`${gap},`)}${gap}]`);
const points = fc.oneof(
  { weight: 12, arbitrary: listOf(point, 5) },
  { weight: 1, arbitrary: fc.constantFrom("null", "{}", `"polygon"`, "3") },
);
const zone = fc
  .tuple(points, fc.option(listOf(points, 3), { nil: "null" }))
  .map(([region, holes]) => `{"region":${region},"holes" : ${holes}}`);
const geometry = fc.oneof(
  points.map((list) => `"polygon":${list}`),
  listOf(zone, 3).map((zones) => `"segmentation":{"zones":${zones}}`),
  points.map((list) => `"polygon":${list},"polygon":[[9,9]]`),
);
const tools = listOf(
  geometry.map((text) => `{"objectId":"o","schemaId":"s",${text}}`),
  4,
);

const LIMITS = { imagePixels: 10_000, pointsPerContour: 4, pointsPerAsset: 20, partsPerAsset: 5, readsImages: false };
const context = prepareContext({
  ...RunContext.decode(new Uint8Array()),
  settings: {
    classMappingType: "",
    exportReviewedAssets: true,
    exportLabeledAssets: true,
    batchNames: [],
    verbose: false,
    verboseFrequency: 1,
    includeKeyFramesOnly: false,
  },
  mode: ColourMode.GRAY,
  classes: [{ title: "Car", value: 1, schemaIds: ["s"] }],
  stages: [{ id: "s1", name: "Label", type: "Label" }],
});

describe("a row with its coordinates lifted out", () => {
  it("comes to the same as one that is read as a whole, whatever stands in it", () => {
    let lifted = 0;
    const filtered = (row: string) => {
      const envelope = { run: "R", gateway: "g", packager: "p", epoch: 0, round: 0, index: 0, part: 0, parts: 0 };
      return filterAsset({ envelope, row: Buffer.from(row) }, new Map(), context, LIMITS);
    };
    fc.assert(
      fc.property(tools, (list) => {
        const start = `{"asset":"a","metadata":{"width":100,"height":100},"task":{"taskId":"t","tools":${list},"stageHistory":[{"stageId":"s1","completedAt":"2026"}]}`;
        const row = `${start},"xxxxxx":1}`;
        if (liftCoordinates(Buffer.from(row))) lifted++;
        // An escaped key makes the row go the ordinary way; its length and place move nothing that an error names.
        assert.deepEqual(filtered(row), filtered(`${start},"\\u0078":1}`));
      }),
      { numRuns: 1500 },
    );
    assert.ok(lifted > 150, `only ${lifted} of 1500 rows were lifted`);
  });
});
