/**
 * STEP 2: from a row of the export to what is painted of it.
 *
 * AssetExported -> MaskRequested, one a part, or AssetOutcome: skipped by a rule, or rejected for a reason. Where the export does not tell
 * a size, the images are asked for first; whoever has read them (filter-step.ts) comes again with what they say. Deterministic: the same
 * row with the same sizes gives the same bytes (docs/delivery.md rule 12).
 */
import type { AssetExported, AssetIdentity, Envelope } from "../../proto/gen/maskline/v1/pipeline.js";
import { idSuffix } from "../../proto/pipeline.js";
import type { StepOutput } from "../runtime/step.js";
import { type AssetRow, glimpseIdentity, readAssetRow, readLiftedRow, type TaskRow } from "./asset-row.js";
import type { FilterContext } from "./filter-context.js";
import { assetRejected, assetSkipped, maskRequested } from "./filter-outputs.js";
import { pointBudget } from "./geometry.js";
import type { FilterLimits } from "./limits.js";
import { type Part, partsOf } from "./parts.js";
import { Rejection } from "./rejection.js";
import { type Standing, standingsOf } from "./review.js";
import { batchRule, furthestRule, standingRule } from "./rules.js";
import { shapesOf } from "./shapes.js";
import { type ImageNeeded, type ImageSizes, withSizes } from "./size.js";

export type Filtered =
  /** Never empty. */
  | { readonly outputs: readonly StepOutput[] }
  /** Everything else is fine, but these images are needed. */
  | { readonly needed: readonly ImageNeeded[] };

/**
 * Whatever is wrong with the row comes out as an outcome, never as an exception.
 * @param images what is known from the asset's images so far
 * @throws Error when the message has no envelope, for then nobody can be told.
 */
export function filterAsset(message: AssetExported, images: ImageSizes, context: FilterContext, limits: FilterLimits): Filtered {
  const envelope = message.envelope;
  if (!envelope) throw new Error("an AssetExported message has no envelope");
  const lifted = filterLifted(message.row, envelope, images, context, limits);
  if (lifted) return lifted;
  let row: AssetRow | undefined;
  try {
    row = readAssetRow(message.row);
    return filterRow(row, envelope, images, context, limits);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    const asset = row ? identityOf(row, row.tasks[0]) : glimpseIdentity(message.row);
    const failure = { code: error.code, reason: error.message };
    return { outputs: [assetRejected(wholeAsset(envelope), asset, failure, idSuffix.filtered)] };
  }
}

/** The fast way of the rows that nothing is wrong with. What is wrong with the others is said by the ordinary one: undefined. */
function filterLifted(
  bytes: Buffer,
  envelope: Envelope,
  images: ImageSizes,
  context: FilterContext,
  limits: FilterLimits,
): Filtered | undefined {
  const row = readLiftedRow(bytes);
  if (!row) return undefined;
  try {
    return filterRow(row, envelope, images, context, limits);
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  }
}

function filterRow(row: AssetRow, envelope: Envelope, images: ImageSizes, context: FilterContext, limits: FilterLimits): Filtered {
  const skipped = (rule: Parameters<typeof assetSkipped>[2]) => ({
    outputs: [assetSkipped(wholeAsset(envelope), identityOf(row, row.tasks[0]), rule)],
  });
  const outside = batchRule(context.rules, row.batches);
  if (outside) return skipped(outside);

  const standings = standingsOf(row, context.stages);
  const verdicts = row.tasks.map((task, at) => ({
    task,
    rule: task.isSkipped ? "not_labeled" : standingRule(context.rules, standings[at] ?? UNTOUCHED),
  }));
  const exported = verdicts.filter(({ rule }) => rule === undefined).map(({ task }) => task);
  if (exported.length === 0) return skipped(furthestRule(verdicts.flatMap(({ rule }) => rule ?? [])));

  const parts = partsOf(row, exported, limits.partsPerAsset);
  checkIdentity(row, parts);
  const budget = pointBudget(limits.pointsPerContour, limits.pointsPerAsset);
  const painted = parts.map((part) => ({ ...part, shapes: shapesOf(part.tools, context.classes, budget, part.dropped, row.lifted) }));
  // Last: for an asset that is set aside anyway no image is read.
  const found = withSizes(row, painted, images, limits);
  if ("needed" in found) return found;
  const outputs = found.sized.map(({ task, page, shapes, dropped, width, height }, at) =>
    maskRequested({
      envelope: { ...envelope, part: at, parts: parts.length },
      asset: identityOf(row, task, page),
      width,
      height,
      mode: context.mode,
      shapes,
      dropped: dropped.list(),
    }),
  );
  return { outputs };
}

const UNTOUCHED: Standing = { labeled: false, reviewed: false };

/** Every part repeats the asset's ids and batches: a long text times many parts must not fill memory and bus. */
const MOST_IDENTITY_CHARACTERS = 2 ** 24;

function checkIdentity(row: AssetRow, parts: readonly Part[]): void {
  if (parts.length === 1) return;
  const own = row.batches.reduce((sum, name) => sum + name.length + 1, row.assetId.length + row.externalId.length);
  const characters = parts.reduce((sum, { task }) => sum + own + task.taskId.length, 0);
  if (characters <= MOST_IDENTITY_CHARACTERS) return;
  throw new Rejection(
    "over_limit",
    `its ids and batch names have ${own} characters, too many to go with each of its ${parts.length} masks`,
  );
}

function wholeAsset(envelope: Envelope): Envelope {
  return { ...envelope, part: 0, parts: 0 };
}

function identityOf(row: AssetRow, task: TaskRow, page?: number): AssetIdentity {
  return { taskId: task.taskId, assetId: row.assetId, externalId: row.externalId, batches: [...row.batches], page };
}
