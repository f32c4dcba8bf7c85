/** Why an asset, or an object of it, is not painted: the closed lists behind the strings on the wire, in the manifest and in the log. */

/** Rules a user chose in the Config JSON, and the one Maskline always applies. */
export const SKIP_RULES = {
  batch_names: "in none of the chosen batches",
  export_reviewed_assets: "reviewed, and export_reviewed_assets is false",
  export_labeled_assets: "labeled but not reviewed, and export_labeled_assets is false",
  not_labeled: "nobody labeled it",
} as const;
export type SkipRule = keyof typeof SKIP_RULES;

/** What can be wrong with an asset itself. */
export const REJECT_CODES = {
  unreadable_row: "the row of the export can not be read",
  no_size: "neither the export nor its image tells its size",
  bad_geometry: "a coordinate is not a number that fits 32 bits",
  over_limit: "it is larger than a limit of this installation",
  parts_differ: "its parts contradict each other",
  failed: "working on it failed again and again",
} as const;
export type RejectCode = keyof typeof REJECT_CODES;

/** Kinds of objects that are dropped for a reason of ours; any other kind is the name of a tool that is not painted. */
export const DROPPED_KINDS = {
  noPoints: "no points",
  unknownClass: "unknown class",
  noGeometry: "no geometry",
  noSuchPage: "no such page",
  unknownVideoForm: "unknown video form",
  otherTools: "other tools",
} as const;
