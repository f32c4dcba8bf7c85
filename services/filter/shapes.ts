/** The objects of one part as they are painted, in the order of the export. */
import type { Shape } from "../../proto/gen/maskline/v1/pipeline.js";
import { DROPPED_KINDS } from "../../proto/outcomes.js";
import { type Classes, classOf } from "./classes.js";
import type { DroppedCount } from "./dropped.js";
import { type PointBudget, zonesOf } from "./geometry.js";
import type { LiftedContour } from "./lift-coordinates.js";
import { POLYGON, SEGMENTATION, type ToolRow } from "./tool-row.js";

/**
 * What is wrong with an object drops that object, counted in `dropped`; its geometry is then not looked at.
 * @param lifted see `zonesOf`
 * @throws Rejection for geometry that is no geometry, or over a limit.
 */
export function shapesOf(
  tools: readonly ToolRow[],
  classes: Classes,
  budget: PointBudget,
  dropped: DroppedCount,
  lifted?: readonly LiftedContour[],
): Shape[] {
  const shapes: Shape[] = [];
  for (const tool of tools) {
    if (tool.kind !== POLYGON && tool.kind !== SEGMENTATION) {
      dropped.add(tool.kind);
      continue;
    }
    const found = classOf(classes, tool.schemaId, tool.title);
    if (!found) {
      dropped.add(DROPPED_KINDS.unknownClass);
      continue;
    }
    const zones = zonesOf(tool, budget, lifted);
    if (zones.length === 0) dropped.add(DROPPED_KINDS.noPoints);
    else shapes.push({ classIndex: found.index, value: found.value, zones });
  }
  return shapes;
}
