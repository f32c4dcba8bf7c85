/** The rules that a user chose in the Config JSON. */
import type { SkipRule } from "../../proto/outcomes.js";
import type { Standing } from "./review.js";

export interface Rules {
  /** Empty: all batches. */
  readonly batchNames: ReadonlySet<string>;
  readonly exportReviewed: boolean;
  readonly exportLabeled: boolean;
}

/** The batch rule comes first: an asset passes if it is in any of the chosen batches. */
export function batchRule(rules: Rules, batches: readonly string[]): SkipRule | undefined {
  return rules.batchNames.size === 0 || batches.some((name) => rules.batchNames.has(name)) ? undefined : "batch_names";
}

/** The rule that leaves a task of this standing out, or undefined when it is exported. Reviewed tasks do not count as labeled here. */
export function standingRule(rules: Rules, { labeled, reviewed }: Standing): SkipRule | undefined {
  if (!labeled) return "not_labeled";
  if (reviewed) return rules.exportReviewed ? undefined : "export_reviewed_assets";
  return rules.exportLabeled ? undefined : "export_labeled_assets";
}

/** Which rule speaks for an asset all of whose tasks are left out: the one that the furthest task met. */
export function furthestRule(rules: readonly SkipRule[]): SkipRule {
  return (["export_reviewed_assets", "export_labeled_assets"] as const).find((rule) => rules.includes(rule)) ?? "not_labeled";
}
