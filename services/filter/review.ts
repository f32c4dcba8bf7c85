/** Whether a task has been labeled and reviewed. */
import type { AssetRow, StageEntry, TaskRow } from "./asset-row.js";
import { type StageKinds, stageKind } from "./stages.js";

export interface Standing {
  readonly labeled: boolean;
  /** Reviewed, whatever the verdict was. Implies labeled. */
  readonly reviewed: boolean;
}

/** The standing of every task of a row, in their order. */
export function standingsOf(row: AssetRow, stages: StageKinds): Standing[] {
  if (row.version === 3) return row.tasks.map((task) => standingInV3(row, task, stages));
  const spokenFor = (row.labeledAt || row.reviewedAt || isLabeledStatus(row.status)) && !row.tasks.some(isCompleted);
  return row.tasks.map((task) => standingInV2(row, task, spokenFor));
}

/**
 * v3: the latest entry of a Review stage is completed, or any entry carries a review status other than Todo. Labeled by a completed entry
 * of a Label or Review stage (nobody reviews what was not labeled), by `labeledAt`, or because the task is completed.
 */
function standingInV3(row: AssetRow, task: TaskRow, stages: StageKinds): Standing {
  let latestReview: StageEntry | undefined;
  let labeled = row.labeledAt || isCompleted(task) || stageKind(stages, task.stageId, task.stage) === "complete";
  let reviewed = false;
  for (const entry of task.history) {
    const kind = stageKind(stages, entry.stageId, entry.stage);
    if (kind === "review" && isLater(entry, latestReview)) latestReview = entry;
    if ((kind === "label" || kind === "review") && entry.completedAt !== undefined) labeled = true;
    if (isVerdict(entry.reviewStatus)) reviewed = true;
  }
  reviewed ||= latestReview?.completedAt !== undefined;
  return { labeled: labeled || reviewed, reviewed };
}

/** The history is oldest first: an entry that is still open, or whose time can not be read, is ordered by its place. */
function isLater(entry: StageEntry, than: StageEntry | undefined): boolean {
  if (than?.completedAt === undefined || entry.completedAt === undefined) return true;
  return !(entry.completedAt < than.completedAt);
}

/**
 * v2 has several tasks an asset, and times of the asset as a whole. These speak for the tasks (`spokenFor`) when none of them says itself
 * that it was completed; otherwise a task that nobody completed stays unlabeled beside those that somebody did.
 */
function standingInV2(row: AssetRow, task: TaskRow, spokenFor: boolean): Standing {
  const labeled = isCompleted(task) || isVerdict(task.reviewStatus) || spokenFor;
  return { labeled, reviewed: labeled && (isVerdict(task.reviewStatus) || row.reviewedAt) };
}

function isCompleted(task: TaskRow): boolean {
  return task.completedAt !== undefined || isLabeledStatus(task.status);
}

function isLabeledStatus(status: string): boolean {
  return /^(?:completed?|labell?ed|reviewed)$/i.test(status);
}

/** Accepted, Rejected, Fixed, ...: anything but "Todo" and nothing. */
function isVerdict(reviewStatus: string): boolean {
  return reviewStatus !== "" && !/^to[ -]?do$/i.test(reviewStatus);
}
