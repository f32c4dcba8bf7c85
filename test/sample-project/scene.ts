/** What a picture of the sample is made of: layers, painted one over the other. */
import type { ClassTitle } from "./classes.js";
import type { Contour, Point, Zone } from "./shapes.js";

/** A colour, or a gradient from top to bottom. */
export type Fill = string | { readonly top: string; readonly bottom: string };

/** Decoration: in the picture only. Contours are filled even-odd. */
export interface Paint {
  readonly kind: "paint";
  readonly contours: readonly Contour[];
  readonly fill: Fill;
  readonly opacity: number;
}

/** Light around a lamp or the sun: in the picture only. */
export interface Glow {
  readonly kind: "glow";
  readonly centre: Point;
  readonly radius: number;
  readonly colour: string;
  readonly opacity: number;
}

/** Something that is annotated. Its zones are the painted shape and the annotation, point for point. */
export interface SceneObject {
  readonly kind: "object";
  readonly title: ClassTitle;
  readonly zones: readonly Zone[];
  readonly fill: Fill;
  /** Seen through the holes, such as panes of glass. */
  readonly behind: readonly Paint[];
  /** Cut to the zones, so that they never reach over the annotation. */
  readonly details: readonly Paint[];
}

export type Layer = Paint | Glow | SceneObject;

/** An annotation that is no mask, such as a number plate's box. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Scene {
  /** File name of the picture without its ending. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** The far side first. */
  readonly layers: readonly Layer[];
  readonly plates: readonly Box[];
  /** Open lines along the edge of the road. */
  readonly curbs: readonly Contour[];
}

export function paint(fill: Fill, contours: readonly Contour[], opacity = 1): Paint {
  return { kind: "paint", contours, fill, opacity };
}

export function zone(region: Contour, holes: readonly Contour[] = []): Zone {
  return { region, holes };
}
