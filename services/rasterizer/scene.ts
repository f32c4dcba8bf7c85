/** What is painted: plain numbers, in paint order. */
import type { Points } from "./points.js";

export interface Scene {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** The later one wins. */
  readonly objects: readonly SceneObject[];
}

/** A polygon is one zone without holes. */
export interface SceneObject {
  /** From 1; 0 is the background. */
  readonly label: number;
  /** Painted in this order, each followed by its holes. */
  readonly zones: readonly SceneZone[];
}

export interface SceneZone {
  readonly region: Points;
  readonly holes: readonly Points[];
}

/** All contours of a scene. */
export function contoursOf({ objects }: Scene): Points[] {
  const contours: Points[] = [];
  for (const { zones } of objects) {
    for (const { region, holes } of zones) {
      contours.push(region);
      for (const hole of holes) contours.push(hole);
    }
  }
  return contours;
}
