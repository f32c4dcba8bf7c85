/** The masks that OpenCV drew: scenes with the SHA-256 of their pixels, one byte each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Points } from "../../services/rasterizer/points.js";
import type { Scene, SceneObject } from "../../services/rasterizer/scene.js";
import { projectRoot } from "../project-root.js";

type Contour = readonly (readonly [number, number])[];

type GoldenObject =
  | { readonly value: number; readonly kind: "polygon"; readonly points: Contour }
  | {
      readonly value: number;
      readonly kind: "segmentation";
      readonly zones: readonly { readonly region: Contour; readonly holes?: readonly Contour[] }[];
    };

export interface GoldenCase {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly GoldenObject[];
  /** Of the raw mask, one byte a pixel. */
  readonly sha256: string;
  /** Rows of digits; only the small cases have them. */
  readonly rows?: readonly string[];
}

const folder = join(projectRoot, "test", "golden");

/** All 404. */
export function goldenCases(): GoldenCase[] {
  const lines = gunzipSync(readFileSync(join(folder, "masks.ndjson.gz")))
    .toString()
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as GoldenCase);
}

/** Twelve of them, with their pixels to look at. */
export function smallGoldenCases(): GoldenCase[] {
  return JSON.parse(readFileSync(join(folder, "masks-small.json"), "utf8")) as GoldenCase[];
}

/** To the nearest integer, halves to the even neighbour (docs/fill-semantics.md section 1). */
export function roundHalfEven(value: number): number {
  return value + 6755399441055744 - 6755399441055744;
}

function points(contour: Contour, round: (value: number) => number): Points {
  return Int32Array.from(contour.flat(), round);
}

/** A case as a scene, and the values of its labels: every object has its own label. */
export function goldenScene(
  { width, height, objects }: GoldenCase,
  round: (value: number) => number = roundHalfEven,
): { readonly scene: Scene; readonly values: readonly number[] } {
  const painted = objects.map((object, index): SceneObject => {
    const zones = object.kind === "polygon" ? [{ region: object.points, holes: [] }] : object.zones;
    return {
      label: index + 1,
      zones: zones.map(({ region, holes = [] }) => ({ region: points(region, round), holes: holes.map((hole) => points(hole, round)) })),
    };
  });
  return { scene: { width, height, objects: painted }, values: [0, ...objects.map(({ value }) => value)] };
}
