/** The parts of a Hub project that an export needs. */
export interface Project {
  readonly id: string;
  readonly name: string;
  /** `categorySchema.tools`, in ontology order. */
  readonly tools: readonly OntologyTool[];
  readonly stages: readonly ProjectStage[];
  readonly batches: readonly ProjectBatch[];
}

export interface OntologyTool {
  readonly schemaId: string;
  readonly title: string;
  /** `polygon`, `segmentation`, `bounding-box`, ... */
  readonly tool: string;
  /** `#rrggbb`, as Hub has it; may be anything. */
  readonly color: string | undefined;
}

export interface ProjectStage {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export interface ProjectBatch {
  readonly id: string | undefined;
  readonly name: string;
}
