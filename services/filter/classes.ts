/** From an object's class in the export to the class that is painted. */
import type { PaintedClass } from "../../proto/gen/maskline/v1/run.js";

export interface ClassValue {
  /** Position in RunContext.classes. */
  readonly index: number;
  /** Gray value 1..255, or 0xRRGGBB. */
  readonly value: number;
}

export interface Classes {
  readonly bySchemaId: ReadonlyMap<string, ClassValue>;
  readonly byTitle: ReadonlyMap<string, ClassValue>;
}

/** The lookup for a run's classes. An id or title that comes twice belongs to its first class. */
export function classLookup(painted: readonly PaintedClass[]): Classes {
  const bySchemaId = new Map<string, ClassValue>();
  const byTitle = new Map<string, ClassValue>();
  painted.forEach(({ title, value, schemaIds }, index) => {
    const found = { index, value };
    for (const id of schemaIds) if (!bySchemaId.has(id)) bySchemaId.set(id, found);
    if (!byTitle.has(title)) byTitle.set(title, found);
  });
  return { bySchemaId, byTitle };
}

/** By schema id, then by title; undefined when the run paints no such class. */
export function classOf(classes: Classes, schemaId: string, title: string): ClassValue | undefined {
  return classes.bySchemaId.get(schemaId) ?? classes.byTitle.get(title);
}
