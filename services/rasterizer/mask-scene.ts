/** From a request to what the painter and the encoder take. */
import { ColourMode, type MaskRequested } from "../../proto/gen/maskline/v1/pipeline.js";
import { pointsOf } from "./contours.js";
import type { PngFormat } from "./png-format.js";
import type { Scene } from "./scene.js";

export interface MaskScene {
  readonly scene: Scene;
  readonly format: PngFormat;
  /** By label; label 0 is the background and has none. */
  readonly classIndexes: readonly number[];
}

/**
 * Gives every class of the mask a label, numbered from 1 by first appearance: so labels are few, and classes that share a value are still
 * counted apart.
 */
export function maskScene({ width, height, mode, shapes }: MaskRequested): MaskScene {
  const values = [0];
  const classIndexes = [-1];
  const labels = new Map<string, number>();
  const labelOf = (classIndex: number, value: number) => {
    const key = `${classIndex}/${value}`;
    const known = labels.get(key);
    if (known !== undefined) return known;
    labels.set(key, values.length);
    classIndexes.push(classIndex);
    return values.push(value) - 1;
  };
  const objects = shapes.map(({ classIndex, value, zones }) => ({
    label: labelOf(classIndex, value),
    zones: zones.map(({ region, holes }) => ({ region: pointsOf(region), holes: holes.map(pointsOf) })),
  }));
  const bytesPerPixel = mode === ColourMode.RGB ? 3 : 1;
  return { scene: { width, height, objects }, format: { width, height, bytesPerPixel, values }, classIndexes };
}
