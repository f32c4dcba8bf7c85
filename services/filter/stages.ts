/** What kind of stage a task is in, or has been through. */
import type { Stage } from "../../proto/gen/maskline/v1/run.js";

export type StageKind = "label" | "review" | "complete" | "other";

export interface StageKinds {
  readonly byId: ReadonlyMap<string, StageKind>;
  readonly byName: ReadonlyMap<string, StageKind>;
}

const KIND_OF_TYPE: Readonly<Record<string, StageKind>> = { Label: "label", Review: "review", Complete: "complete" };

/** The lookup for a project's stages. Where two have one name, the first counts. */
export function stageKinds(stages: readonly Stage[]): StageKinds {
  const byId = new Map<string, StageKind>();
  const byName = new Map<string, StageKind>();
  for (const { id, name, type } of stages) {
    const kind = (Object.hasOwn(KIND_OF_TYPE, type) ? KIND_OF_TYPE[type] : undefined) ?? "other";
    if (id !== "" && !byId.has(id)) byId.set(id, kind);
    if (name !== "" && !byName.has(name)) byName.set(name, kind);
  }
  return { byId, byName };
}

/**
 * By id, then by name. A stage that the project does not have (it was deleted, or the export came without its project) goes by the words
 * of its name: "Review", "2nd review", "Label", "Complete".
 */
export function stageKind(kinds: StageKinds, stageId: string, name: string): StageKind {
  return kinds.byId.get(stageId) ?? kinds.byName.get(name) ?? kindOfWords(name) ?? kindOfWords(stageId) ?? "other";
}

function kindOfWords(name: string): StageKind | undefined {
  if (/\breview/i.test(name)) return "review";
  if (/\blabel/i.test(name)) return "label";
  return /\bcomplete/i.test(name) ? "complete" : undefined;
}
