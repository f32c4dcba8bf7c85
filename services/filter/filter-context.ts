/** A run's immutable truth, prepared for lookups. */

import type { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { type Classes, classLookup } from "./classes.js";
import type { Rules } from "./rules.js";
import { type StageKinds, stageKinds } from "./stages.js";

export interface FilterContext {
  readonly mode: ColourMode;
  readonly classes: Classes;
  readonly stages: StageKinds;
  readonly rules: Rules;
}

export function prepareContext({ mode, classes, stages, settings }: RunContext): FilterContext {
  return {
    mode,
    classes: classLookup(classes),
    stages: stageKinds(stages),
    rules: {
      batchNames: new Set(settings?.batchNames),
      exportReviewed: settings?.exportReviewedAssets ?? true,
      exportLabeled: settings?.exportLabeledAssets ?? true,
    },
  };
}
