/** Rows of a small export, in Hub's v3 form, for the project of pipeline.ts. */

export interface RowOptions {
  readonly id: string;
  readonly tools?: readonly object[] | null;
  /** Null: the export does not tell it. */
  readonly size?: readonly [width: number, height: number] | null;
  readonly batches?: readonly (string | null)[];
  /** How far the task is. */
  readonly standing?: "untouched" | "labeled" | "reviewed" | "rejected in review";
}

const AT = "2026-01-05T10:00:00.000Z";
const LATER = "2026-01-05T11:00:00.000Z";

const label = {
  stage: "Labeling",
  stageId: "label-stage",
  duration: 10,
  completedAt: AT,
  completedBy: "a@b.c",
  tools: [],
  classifications: [],
};
const review = { ...label, stage: "Quality", stageId: "review-stage", completedAt: LATER };
const start = { stage: "Start", stageId: "Start", duration: 0, completedAt: AT, tools: [], classifications: [] };

const HISTORY = {
  untouched: { stageHistory: [start], stage: "Labeling", stageId: "label-stage" },
  labeled: { stageHistory: [start, label], stage: "Quality", stageId: "review-stage" },
  reviewed: { stageHistory: [start, label, { ...review, reviewStatus: "Accepted" }], stage: "Complete", stageId: "Complete" },
  "rejected in review": {
    stageHistory: [start, label, { ...review, reviewStatus: "Rejected" }],
    stage: "Labeling",
    stageId: "label-stage",
  },
};

export function row({ id, tools = [], size = [16, 12], batches = ["north"], standing = "labeled" }: RowOptions): object {
  return {
    asset: `https://hub.invalid/images/${id}.png`,
    assetId: `asset-${id}`,
    externalId: `${id}.png`,
    metadata: size ? { width: size[0], height: size[1] } : {},
    batches,
    task: { taskId: id, updatedAt: AT, tools, classifications: [], relations: [], ...HISTORY[standing] },
  };
}

export function polygon(title: string, schemaId: string, points: readonly unknown[]): object {
  return { objectId: `${schemaId}-1`, schemaId, title, classifications: [], polygon: points };
}

export function segmentation(title: string, schemaId: string, ...zones: readonly { region: unknown; holes?: unknown }[]): object {
  return { objectId: `${schemaId}-1`, schemaId, title, classifications: [], segmentation: { zones } };
}

export const square = (x: number, y: number, side: number) => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];
