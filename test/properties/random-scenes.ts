/** Scenes to try the painter with: small images, objects in and far outside them. */
import * as fc from "fast-check";
import type { Points } from "../../services/rasterizer/points.js";
import type { Scene, SceneObject, SceneZone } from "../../services/rasterizer/scene.js";

/** Mostly around the image, sometimes far away, sometimes at the ends of 32 bits. */
const coordinate = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -12, max: 80 }) },
  { weight: 2, arbitrary: fc.integer({ min: -500, max: 500 }) },
  { weight: 1, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, -32_769, 32_768, -1, 0) },
);

function contour(maxPoints: number): fc.Arbitrary<Points> {
  return fc.array(fc.tuple(coordinate, coordinate), { maxLength: maxPoints, size: "max" }).map((points) => Int32Array.from(points.flat()));
}

const zone: fc.Arbitrary<SceneZone> = fc.record({
  region: contour(12),
  holes: fc.array(contour(8), { maxLength: 3 }),
});

function scene(maxObjects: number, objectZones: fc.Arbitrary<SceneZone[]>): fc.Arbitrary<Scene> {
  return fc.record({
    width: fc.integer({ min: 1, max: 70 }),
    height: fc.integer({ min: 1, max: 70 }),
    objects: fc
      .array(fc.tuple(fc.integer({ min: 1, max: 5 }), objectZones), { maxLength: maxObjects, size: "max" })
      .map((objects) => objects.map(([label, zones]): SceneObject => ({ label, zones }))),
  });
}

/** A few objects of several zones with holes. */
export const randomScene = scene(4, fc.array(zone, { minLength: 1, maxLength: 3 }));

/** So many objects that rows are crowded. */
export const crowdedScene = scene(
  60,
  fc.array(fc.record({ region: contour(5), holes: fc.array(contour(4), { maxLength: 1 }) }), { minLength: 1, maxLength: 2 }),
);

/** One contour of many points: many crossings on a row. */
export const tangledScene = fc
  .record({ width: fc.integer({ min: 1, max: 70 }), height: fc.integer({ min: 1, max: 70 }), region: contour(200) })
  .map(({ width, height, region }): Scene => ({ width, height, objects: [{ label: 1, zones: [{ region, holes: [] }] }] }));
