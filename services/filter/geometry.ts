/** From an object's coordinates in the export to the integer contours that are painted (docs/fill-semantics.md sections 1 and 5). */
import { encodeDeltas } from "../../proto/deltas.js";
import type { Contour, Zone } from "../../proto/gen/maskline/v1/pipeline.js";
import { describeValue, excerpt } from "./excerpt.js";
import type { LiftedContour } from "./lift-coordinates.js";
import { Rejection } from "./rejection.js";
import { INT32_MAX, INT32_MIN, roundedCoordinate } from "./round-coordinate.js";
import { POLYGON, type ToolRow } from "./tool-row.js";

/** How many points may still be read; counted down over an asset. */
export interface PointBudget {
  readonly perContour: number;
  readonly perAsset: number;
  left: number;
}

export function pointBudget(perContour: number, perAsset: number): PointBudget {
  return { perContour, perAsset, left: perAsset };
}

/**
 * The zones of a polygon (one, without holes) or of a segmentation, in order, each contour as deltas. Zones and holes without points are
 * left out; none left: the object has no points.
 * @param lifted where the lists of points are, when the row holds `[k]` for each (lift-coordinates.ts)
 * @throws Rejection `bad_geometry` naming object, point and value; `over_limit` before any memory is taken for the points.
 */
export function zonesOf(tool: ToolRow, budget: PointBudget, lifted?: readonly LiftedContour[]): Zone[] {
  const contourOf = lifted ? liftedContours(lifted) : readContour;
  if (tool.kind === POLYGON) {
    const region = contourOf(tool.geometry, budget, { tool, zone: undefined, hole: undefined });
    return region ? [{ region, holes: [] }] : [];
  }
  const zones: Zone[] = [];
  listOf(tool, tool.geometry === null ? null : fieldOf(tool, tool.geometry, "zones"), "zones").forEach((zone, z) => {
    if (zone === null) return;
    const region = contourOf(fieldOf(tool, zone, "region"), budget, { tool, zone: z, hole: undefined });
    if (!region) return;
    const holes = listOf(tool, fieldOf(tool, zone, "holes"), "holes").flatMap(
      (points, hole) => contourOf(points, budget, { tool, zone: z, hole }) ?? [],
    );
    zones.push({ region, holes });
  });
  return zones;
}

interface Where {
  readonly tool: ToolRow;
  readonly zone: number | undefined;
  readonly hole: number | undefined;
}

function liftedContours(lifted: readonly LiftedContour[]): typeof readContour {
  return (points, budget, where) => {
    const place: unknown = Array.isArray(points) ? points[0] : undefined;
    const contour = typeof place === "number" ? lifted[place] : undefined;
    if (contour) spend(contour.points, budget, where);
    return contour;
  };
}

/** x0, y0, then differences modulo 2^32. Undefined when there are no points. */
function readContour(points: unknown, budget: PointBudget, where: Where): Contour | undefined {
  if (points === undefined || points === null) return undefined;
  if (!Array.isArray(points)) throw new Rejection("bad_geometry", `${name(where)} is ${describeValue(points)}, not a list of points`);
  const count = points.length;
  if (count === 0) return undefined;
  spend(count, budget, where);

  const deltas = new Int32Array(count * 2);
  let lastX = 0;
  let lastY = 0;
  for (let at = 0; at < count; at += 1) {
    const point: unknown = points[at];
    if (!Array.isArray(point)) {
      throw new Rejection("bad_geometry", `point ${at + 1} of ${name(where)} is ${describeValue(point)}, not [x, y]`);
    }
    const x = rounded(point[0]);
    const y = rounded(point[1]);
    if (x === undefined || y === undefined) throw badCoordinate(point, x === undefined ? 0 : 1, at, where);
    deltas[at * 2] = (x - lastX) | 0;
    deltas[at * 2 + 1] = (y - lastY) | 0;
    lastX = x;
    lastY = y;
  }
  return { deltas: encodeDeltas(deltas) };
}

function rounded(value: unknown): number | undefined {
  if (typeof value !== "number") return undefined;
  const whole = roundedCoordinate(value);
  return whole >= INT32_MIN && whole <= INT32_MAX ? whole : undefined;
}

function spend(points: number, budget: PointBudget, where: Where): void {
  if (points > budget.perContour) {
    throw new Rejection(
      "over_limit",
      `${name(where)} has ${points} points; this installation reads ${budget.perContour} a contour (POINTS_PER_CONTOUR_LIMIT)`,
    );
  }
  if (points > budget.left) {
    throw new Rejection(
      "over_limit",
      `it has more points than the ${budget.perAsset} that this installation reads (POINTS_PER_ASSET_LIMIT)`,
    );
  }
  budget.left -= points;
}

function fieldOf(tool: ToolRow, value: unknown, field: string): unknown {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return (value as Readonly<Record<string, unknown>>)[field];
  throw new Rejection("bad_geometry", `in the ${tool.kind} ${objectName(tool)}, what should hold "${field}" is ${describeValue(value)}`);
}

function listOf(tool: ToolRow, value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new Rejection("bad_geometry", `"${field}" of the ${tool.kind} ${objectName(tool)} is ${describeValue(value)}, not a list`);
}

function badCoordinate(point: readonly unknown[], axis: 0 | 1, at: number, where: Where): Rejection {
  const coordinate = `${axis === 0 ? "x" : "y"} of point ${at + 1} of ${name(where)}`;
  return new Rejection("bad_geometry", `${coordinate} is ${describeValue(point[axis])}, not a number that fits 32 bits`);
}

function name({ tool, zone, hole }: Where): string {
  const part = hole !== undefined ? `hole ${hole + 1} of zone ${(zone ?? 0) + 1} of ` : zone !== undefined ? `zone ${zone + 1} of ` : "";
  return `${part}the ${tool.kind} ${objectName(tool)}`;
}

function objectName({ objectId, title }: ToolRow): string {
  const id = objectId === "" ? "without objectId" : excerpt(objectId, 60);
  return title === "" ? id : `${id} (${excerpt(title, 60)})`;
}
