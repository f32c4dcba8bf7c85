/** The masks that one task asks for: one, or one a page of a multi-image asset, or one an annotated frame of a video. */
import { DROPPED_KINDS } from "../../proto/outcomes.js";
import type { AssetRow, TaskRow } from "./asset-row.js";
import { countDropped, type DroppedCount } from "./dropped.js";
import { Rejection } from "./rejection.js";
import { isKnownKind, POLYGON, SEGMENTATION, type ToolRow } from "./tool-row.js";

export interface Part {
  readonly task: TaskRow;
  /** 0-based page of a multi-image asset or frame of a video; undefined when the asset is a single image. */
  readonly page: number | undefined;
  readonly tools: readonly ToolRow[];
  readonly dropped: DroppedCount;
}

/**
 * The parts of all `tasks`, in order.
 * @throws Rejection `over_limit` when there would be more than `limit`.
 */
export function partsOf(row: AssetRow, tasks: readonly TaskRow[], limit: number): Part[] {
  // Decided before any list of pages is made: a row can name many pages and many tasks.
  if (row.pages * tasks.length > limit) throw tooMany(row.pages * tasks.length, limit, false);
  const frames = framesOf(row);
  const perTask = tasks.map((task) => toolsByPage(row, task, frames));
  const count = perTask.reduce((sum, { pages }) => sum + pages.length, 0);
  if (count > limit) throw tooMany(count, limit, frames > 1);
  return perTask.flatMap(({ task, pages, toolsOn, misplaced }) =>
    pages.map((page, first) => {
      const dropped = countDropped();
      if (first === 0) dropWithoutPlace(task, misplaced, dropped);
      return { task, page, tools: toolsOn(page), dropped };
    }),
  );
}

function tooMany(count: number, limit: number, isVideo: boolean): Rejection {
  const hint = isVideo ? "; the config key include_key_frames_only exports fewer frames" : "";
  return new Rejection(
    "over_limit",
    `it has ${count} pages, frames or tasks; this installation makes ${limit} masks an asset (PARTS_PER_ASSET_LIMIT)${hint}`,
  );
}

/** A page travels as 32 bits. */
const MOST_FRAMES = 2 ** 31;

/** How many frames a video has; 1 for all others. An asset that does not say is a video when a tool of it lies beyond the first frame. */
function framesOf({ pages, frames, tasks }: AssetRow): number {
  if (pages > 0) return 1;
  if (frames !== undefined) return Math.min(frames, MOST_FRAMES);
  return tasks.some(({ tools }) => tools.some(({ page }) => isPageOf(page, MOST_FRAMES) && page > 0)) ? MOST_FRAMES : 1;
}

function isPageOf(page: unknown, count: number): page is number {
  return typeof page === "number" && Number.isInteger(page) && page >= 0 && page < count;
}

interface PagedTools {
  readonly task: TaskRow;
  readonly pages: readonly (number | undefined)[];
  readonly toolsOn: (page: number | undefined) => readonly ToolRow[];
  /** The kinds to count them under; they are counted with the first part. */
  readonly misplaced: readonly string[];
}

function toolsByPage(row: AssetRow, task: TaskRow, frames: number): PagedTools {
  const isVideo = frames > 1;
  const pageCount = isVideo ? frames : Math.max(row.pages, 1);
  const byPage = new Map<number, ToolRow[]>();
  const misplaced: string[] = [];
  for (const tool of task.tools) {
    // The entry only says that the object is gone from this frame on.
    if (isVideo && tool.stopped) continue;
    const page = tool.page ?? (isVideo ? undefined : 0);
    if (isPageOf(page, pageCount)) {
      const tools = byPage.get(page);
      if (tools) tools.push(tool);
      else byPage.set(page, [tool]);
    } else {
      misplaced.push(kindWithoutPlace(tool));
    }
  }
  const tools = (page: number | undefined) => byPage.get(page ?? 0) ?? [];
  if (row.pages > 0) return { task, pages: Array.from({ length: row.pages }, (_, page) => page), toolsOn: tools, misplaced };
  if (!isVideo || byPage.size === 0) return { task, pages: [undefined], toolsOn: isVideo ? () => [] : tools, misplaced };
  return { task, pages: Array.from(byPage.keys()).sort((a, b) => a - b), toolsOn: tools, misplaced };
}

/** A tool that is not painted anyway is counted under its own name. */
function kindWithoutPlace({ kind, page }: ToolRow): string {
  if (isKnownKind(kind) && kind !== POLYGON && kind !== SEGMENTATION) return kind;
  return page === undefined ? DROPPED_KINDS.unknownVideoForm : DROPPED_KINDS.noSuchPage;
}

/** What belongs to the task as a whole is counted once, with its first part. */
function dropWithoutPlace(task: TaskRow, misplaced: readonly string[], dropped: DroppedCount): void {
  if (task.hasBrush) dropped.add("brush");
  if (task.hasMedicalBrush && !task.tools.some(({ kind }) => kind === "medical-brush")) dropped.add("medical-brush");
  for (const kind of misplaced) dropped.add(kind);
}
