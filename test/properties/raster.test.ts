import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { Painter } from "../../services/rasterizer/paint.js";
import type { RowRuns } from "../../services/rasterizer/row-runs.js";
import type { Scene } from "../../services/rasterizer/scene.js";
import { naivePaint } from "./naive-painter.js";
import { crowdedScene, randomScene, tangledScene } from "./random-scenes.js";

const painter = new Painter();

/** Labels of all pixels; fails when a row is not made of runs as RowRuns promises. */
function paintLabels(with_: Painter, scene: Scene): Int32Array {
  const { width, height } = scene;
  const image = new Int32Array(width * height);
  let rows = 0;
  with_.paint(scene, (row) => {
    assert.equal(row.end[row.count - 1], width, "a row ends at the width");
    let column = 0;
    for (let run = 0; run < row.count; run++) {
      const end = row.end[run] ?? 0;
      assert.ok(end > column, "runs have pixels");
      assert.ok(run === 0 || row.label[run] !== row.label[run - 1], "neighbours have different labels");
      image.fill(row.label[run] ?? 0, rows * width + column, rows * width + end);
      column = end;
    }
    rows++;
  });
  assert.equal(rows, height);
  return image;
}

function assertSameAsNaive(scene: Scene, with_ = painter): void {
  assert.deepEqual(paintLabels(with_, scene), naivePaint(scene));
}

describe("the painter equals the rules written down naively", () => {
  it("for objects with zones and holes, in and far outside the image", () => {
    fc.assert(
      fc.property(randomScene, (scene) => assertSameAsNaive(scene)),
      { numRuns: 1500 },
    );
  });

  it("for rows crowded with objects", () => {
    fc.assert(
      fc.property(crowdedScene, (scene) => assertSameAsNaive(scene)),
      { numRuns: 120 },
    );
  });

  it("for contours that cross a row many times", () => {
    fc.assert(
      fc.property(tangledScene, (scene) => assertSameAsNaive(scene)),
      { numRuns: 150 },
    );
  });

  it("in bands of any size", () => {
    fc.assert(
      fc.property(randomScene, fc.integer({ min: 1, max: 400 }), (scene, edgeRows) => assertSameAsNaive(scene, new Painter(edgeRows))),
      { numRuns: 300 },
    );
  });
});

describe("the painter", () => {
  it("hands each row over with the one above", () => {
    fc.assert(
      fc.property(randomScene, (scene) => {
        const text = ({ end, label, count }: RowRuns) => `${end.subarray(0, count)}/${label.subarray(0, count)}`;
        let previous = "/";
        painter.paint(scene, (row, above) => {
          assert.equal(text(above), previous);
          previous = text(row);
        });
      }),
      { numRuns: 100 },
    );
  });

  it("goes on after a sink that failed", () => {
    const scene: Scene = { width: 9, height: 9, objects: [{ label: 1, zones: [{ region: Int32Array.of(1, 1, 7, 2, 3, 8), holes: [] }] }] };
    assert.throws(() =>
      painter.paint(scene, () => {
        throw new Error("full");
      }),
    );
    assertSameAsNaive(scene);
  });
});
