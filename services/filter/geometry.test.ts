import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeDeltas, encodeDeltas } from "../../proto/deltas.js";
import { pointBudget, zonesOf } from "./geometry.js";
import { Rejection } from "./rejection.js";
import type { ToolRow } from "./tool-row.js";

const tool = (kind: string, geometry: unknown): ToolRow => ({
  objectId: "o1",
  schemaId: "s1",
  title: "Car",
  page: undefined,
  stopped: false,
  kind,
  geometry,
});
const zones = (kind: string, geometry: unknown, budget = pointBudget(100, 1000)) => zonesOf(tool(kind, geometry), budget);
const polygon = (points: unknown) => [...decodeDeltas(zones("polygon", points)[0]?.region?.deltas ?? Buffer.alloc(0))];
const rejection = (kind: string, geometry: unknown, budget = pointBudget(100, 1000)): Rejection => {
  try {
    zones(kind, geometry, budget);
  } catch (error) {
    assert.ok(error instanceof Rejection);
    return error;
  }
  return assert.fail("the geometry was read");
};

/** Adds the deltas up again, modulo 2^32. */
function pointsOf(deltas: readonly number[]): number[][] {
  const points: number[][] = [];
  let [x, y] = [0, 0];
  for (let at = 0; at < deltas.length; at += 2) {
    x = (x + (deltas[at] ?? 0)) | 0;
    y = (y + (deltas[at + 1] ?? 0)) | 0;
    points.push([x, y]);
  }
  return points;
}

describe("rounding", () => {
  const cases: readonly (readonly [value: number, rounded: number])[] = [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, 0],
    [-1.5, -2],
    [0.49999999999999994, 0],
    [-2.4, -2],
    [1e-300, 0],
    [2147483647.4, 2147483647],
    [-2147483648.5, -2147483648],
  ];
  for (const [value, rounded] of cases) it(`${value} becomes ${rounded}`, () => assert.deepEqual(polygon([[value, 0]]), [rounded, 0]));
});

describe("contours", () => {
  it("are the first point and then differences", () => {
    const points = [
      [10, 20],
      [13, 18],
      [13, 18],
      [-1, 0],
    ];
    assert.deepEqual(polygon(points), [10, 20, 3, -2, 0, 0, -14, -18]);
  });

  it("take differences modulo 2^32", () => {
    const far = [
      [-2147483648, 0],
      [2147483647, -2147483648],
    ];
    assert.deepEqual(polygon(far), [-2147483648, 0, -1, -2147483648]);
  });

  it("give back every point of 32 bits", () => {
    const coordinate = fc.oneof(fc.integer(), fc.double({ min: -1e5, max: 1e5, noNaN: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 50 }), (points) => {
        const nearest = (value: number) => {
          const below = Math.floor(value);
          const half = value - below;
          return half < 0.5 || (half === 0.5 && below % 2 === 0) ? below : below + 1;
        };
        assert.deepEqual(
          pointsOf(polygon(points) ?? []),
          points.map((point) => point.map((value) => nearest(value) | 0)),
        );
      }),
    );
  });

  it("ignore further coordinates of a point", () => assert.deepEqual(polygon([[1, 2, 3]]), [1, 2]));
});

describe("zones", () => {
  it("a polygon is one zone without holes", () =>
    assert.deepEqual(zones("polygon", [[1, 2]]), [{ region: { deltas: encodeDeltas([1, 2]) }, holes: [] }]));

  it("a segmentation keeps its zones and holes in order", () => {
    const geometry = { zones: [{ region: [[1, 1]], holes: [[[2, 2]], [[3, 3]]] }, { region: [[4, 4]] }] };
    assert.deepEqual(zones("segmentation", geometry), [
      { region: { deltas: encodeDeltas([1, 1]) }, holes: [{ deltas: encodeDeltas([2, 2]) }, { deltas: encodeDeltas([3, 3]) }] },
      { region: { deltas: encodeDeltas([4, 4]) }, holes: [] },
    ]);
  });

  it("leave out holes and zones without points", () => {
    const geometry = { zones: [null, { region: [], holes: [[[1, 1]]] }, { region: [[4, 4]], holes: [[], null] }, { holes: null }] };
    assert.deepEqual(zones("segmentation", geometry), [{ region: { deltas: encodeDeltas([4, 4]) }, holes: [] }]);
  });

  for (const [kind, geometry] of [
    ["polygon", null],
    ["polygon", []],
    ["segmentation", null],
    ["segmentation", {}],
    ["segmentation", { zones: null }],
    ["segmentation", { zones: [] }],
  ] as const) {
    it(`${kind} ${JSON.stringify(geometry)} has none`, () => assert.deepEqual(zones(kind, geometry), []));
  }
});

describe("bad geometry", () => {
  const good = [1, 2];
  const cases: readonly (readonly [kind: string, geometry: unknown, reason: RegExp])[] = [
    ["polygon", [good, [1, "2"]], /^y of point 2 of the polygon o1 \(Car\) is "2", not a number that fits 32 bits$/],
    ["polygon", [[null, 2]], /^x of point 1 of the polygon o1 \(Car\) is null/],
    ["polygon", [[Number.NaN, 2]], /is NaN/],
    ["polygon", [[1, Number.POSITIVE_INFINITY]], /is Infinity/],
    ["polygon", [[2147483647.5, 2]], /is 2147483647\.5/],
    ["polygon", [[1, -2147483649]], /is -2147483649/],
    ["polygon", [[1, 1e300]], /is 1e\+300/],
    ["polygon", [[1]], /^y of point 1 .* is missing/],
    ["polygon", [{ x: 1, y: 2 }], /^point 1 of the polygon o1 \(Car\) is an object, not \[x, y\]/],
    ["polygon", "M1 2", /is "M1 2", not a list of points/],
    ["segmentation", [[1, 2]], /what should hold "zones" is a list/],
    ["segmentation", { zones: {} }, /"zones" of the segmentation o1 \(Car\) is an object, not a list/],
    ["segmentation", { zones: [7] }, /what should hold "region" is 7/],
    ["segmentation", { zones: [{ region: [good], holes: 7 }] }, /"holes" .* is 7, not a list/],
    [
      "segmentation",
      { zones: [{ region: [good], holes: [[good], [[true, 0]]] }] },
      /^x of point 1 of hole 2 of zone 1 of the segmentation .* is true/,
    ],
  ];
  for (const [kind, geometry, reason] of cases) {
    it(`names object, place and value: ${reason.source}`, () => {
      const { code, message } = rejection(kind, geometry);
      assert.equal(code, "bad_geometry");
      assert.match(message, reason);
    });
  }
});

describe("limits", () => {
  const points = (count: number) => Array.from({ length: count }, (_, at) => [at, at]);

  it("hold for one contour", () => {
    assert.equal(zones("polygon", points(3), pointBudget(3, 100)).length, 1);
    const { code, message } = rejection("polygon", points(4), pointBudget(3, 100));
    assert.equal(code, "over_limit");
    assert.match(message, /4 points; this installation reads 3 a contour \(POINTS_PER_CONTOUR_LIMIT\)/);
  });

  it("hold over all contours of an asset", () => {
    const budget = pointBudget(10, 5);
    zones("polygon", points(3), budget);
    assert.equal(rejection("polygon", points(3), budget).code, "over_limit");
  });

  it("are decided before a point is looked at", () => {
    assert.equal(rejection("polygon", new Array(1_000_000).fill("no point")).code, "over_limit");
  });
});
