/** The ontology of the sample project: ten painted classes, and two tools that are no masks. */

export interface SampleTool {
  readonly title: string;
  readonly tool: "polygon" | "segmentation" | "bounding-box" | "polyline";
  readonly color: string;
  /** 23 hexadecimal digits, as Hub's are. */
  readonly schemaId: string;
}

/** In ontology order: the order that numbers them. */
export const CLASSES = [
  { title: "Road", tool: "polygon", color: "#6d5fb0", schemaId: "64c1f0a2b7d9e83f5a1c001" },
  { title: "Sidewalk", tool: "segmentation", color: "#e58fc6", schemaId: "64c1f0a2b7d9e83f5a1c002" },
  { title: "Lane marking", tool: "segmentation", color: "#f4f1e8", schemaId: "64c1f0a2b7d9e83f5a1c003" },
  { title: "Terrain", tool: "polygon", color: "#b7cf46", schemaId: "64c1f0a2b7d9e83f5a1c004" },
  { title: "Building", tool: "segmentation", color: "#8796ad", schemaId: "64c1f0a2b7d9e83f5a1c005" },
  { title: "Tree", tool: "segmentation", color: "#2f9e58", schemaId: "64c1f0a2b7d9e83f5a1c006" },
  { title: "Car", tool: "segmentation", color: "#2f7df0", schemaId: "64c1f0a2b7d9e83f5a1c007" },
  { title: "Bus", tool: "segmentation", color: "#19c3c9", schemaId: "64c1f0a2b7d9e83f5a1c008" },
  { title: "Pedestrian", tool: "segmentation", color: "#f2495c", schemaId: "64c1f0a2b7d9e83f5a1c009" },
  { title: "Traffic sign", tool: "polygon", color: "#ffc531", schemaId: "64c1f0a2b7d9e83f5a1c00a" },
] as const satisfies readonly SampleTool[];

export type ClassTitle = (typeof CLASSES)[number]["title"];

/** Annotated, but nothing that a mask shows. */
export const OTHER_TOOLS = {
  plate: { title: "Number plate", tool: "bounding-box", color: "#ff8a3d", schemaId: "64c1f0a2b7d9e83f5a1c00b" },
  curb: { title: "Curb", tool: "polyline", color: "#c9a6ff", schemaId: "64c1f0a2b7d9e83f5a1c00c" },
} as const satisfies Record<string, SampleTool>;

export function classOf(title: ClassTitle): (typeof CLASSES)[number] {
  return CLASSES.find((candidate) => candidate.title === title) ?? CLASSES[0];
}
