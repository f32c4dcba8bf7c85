/**
 * One row of a Hub export, decoded by hand: this is the hot path, and most of a row (classifications, the tools of earlier stages) is
 * never looked at. Both forms that Hub has written are read: v3 has one `task`, v2 a list of `tasks` (docs/hub-protocol.md sections 10-11).
 * Missing fields, nulls where lists belong and unknown keys are fine.
 */
import type { AssetIdentity } from "../../proto/gen/maskline/v1/pipeline.js";
import { parseTooLongRow } from "../../proto/too-long-row.js";
import { describeValue, excerpt } from "./excerpt.js";
import { jsonErrorOffset } from "./json-error.js";
import { type LiftedContour, liftCoordinates } from "./lift-coordinates.js";
import { Rejection } from "./rejection.js";
import { readTool, type ToolRow } from "./tool-row.js";

export interface AssetRow {
  readonly version: 2 | 3;
  /** Texts; empty when the row has none. */
  readonly assetId: string;
  readonly externalId: string;
  readonly batches: readonly string[];
  /** Whether the row says when it was labeled and reviewed as a whole. */
  readonly labeledAt: boolean;
  readonly reviewedAt: boolean;
  readonly status: string;
  /** `metadata`, as it stands. */
  readonly width: unknown;
  readonly height: unknown;
  /** Frames of a video, slices of a volume, pages of a PDF, from 1; undefined when the row does not say. */
  readonly frames: number | undefined;
  /** Pages of a multi-image asset; 0 for all others. */
  readonly pages: number;
  /** Where the image of each page lies; of all others one. Empty texts where the row does not say. Signed: never shown, never passed on. */
  readonly imageUrls: readonly string[];
  /** At least one. */
  readonly tasks: readonly [TaskRow, ...TaskRow[]];
  /** The lists of points, when the tools' geometry holds `[k]` for each (lift-coordinates.ts). */
  readonly lifted: readonly LiftedContour[] | undefined;
}

export interface TaskRow {
  readonly taskId: string;
  /** v3: the stage it is in. */
  readonly stage: string;
  readonly stageId: string;
  readonly status: string;
  readonly completedAt: number | undefined;
  /** v2. */
  readonly isSkipped: boolean;
  readonly reviewStatus: string;
  /** v3: the stages it has been through, oldest first. */
  readonly history: readonly StageEntry[];
  readonly tools: readonly ToolRow[];
  /** Brush strokes are an image of their own, not a tool. */
  readonly hasBrush: boolean;
  readonly hasMedicalBrush: boolean;
}

export interface StageEntry {
  readonly stage: string;
  readonly stageId: string;
  /** Milliseconds since 1970; NaN when there is a time that can not be read; undefined when there is none. */
  readonly completedAt: number | undefined;
  readonly reviewStatus: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** The row, its coordinates lifted out; undefined when it has to be read as a whole: see `readAssetRow`. */
export function readLiftedRow(bytes: Buffer): AssetRow | undefined {
  const lifted = liftCoordinates(bytes);
  if (!lifted) return undefined;
  try {
    return readRow(lifted.json, lifted.contours);
  } catch (error) {
    if (error instanceof Rejection) return undefined;
    throw error;
  }
}

/** @throws Rejection `unreadable_row`, or `over_limit` for a row that the gateway left out for its length. */
export function readAssetRow(bytes: Buffer): AssetRow {
  return readRow(bytes, undefined);
}

function readRow(bytes: Buffer, lifted: readonly LiftedContour[] | undefined): AssetRow {
  const row = parseRow(bytes);
  const v3 = asObject(row.task);
  const v2 = v3
    ? []
    : asList(row.tasks)
        .map(asObject)
        .filter((task) => task !== undefined);
  const [first, ...others] = v3 ? [v3] : v2;
  if (!first) throw withoutTask(row, bytes);
  const metadata = asObject(row.metadata);
  const pageUrls = asList(row.dataset).map(asText);
  return {
    version: v3 ? 3 : 2,
    assetId: asText(row.assetId),
    externalId: asText(row.externalId),
    batches: asList(row.batches).filter((name) => typeof name === "string"),
    labeledAt: asTime(row.labeledAt) !== undefined,
    reviewedAt: asTime(row.reviewedAt) !== undefined,
    status: asText(row.status),
    width: metadata?.width,
    height: metadata?.height,
    frames: asCount(metadata?.frameTotal),
    pages: pageUrls.length,
    imageUrls: pageUrls.length > 0 ? pageUrls : [asText(row.asset)],
    tasks: [readTask(first), ...others.map(readTask)],
    lifted,
  };
}

/**
 * The ids of a row that may not be readable, as far as they can be seen at its beginning: enough to name it in the manifest. Never throws,
 * and never parses the row.
 */
export function glimpseIdentity(bytes: Buffer): AssetIdentity {
  const head = bytes.toString("utf8", 0, 16_384);
  const find = (key: string) => {
    const found = new RegExp(`"${key}"\\s*:\\s*("(?:[^"\\\\\\u0000-\\u001f]|\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})){0,300}")`).exec(
      head,
    )?.[1];
    return found === undefined ? "" : String(JSON.parse(found));
  };
  return { taskId: find("taskId"), assetId: find("assetId"), externalId: find("externalId"), batches: [] };
}

function parseRow(bytes: Buffer): JsonObject {
  const text = bytes.toString("utf8", bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const tooLong = parseTooLongRow(bytes);
    if (tooLong) {
      const has = `${tooLong.bytes} bytes, more than the ${tooLong.limit}`;
      throw new Rejection("over_limit", `its row in the export has ${has} that this installation reads`);
    }
    throw new Rejection("unreadable_row", `the row is not JSON: ${describeJsonError(text)}; it starts with: ${excerpt(text)}`);
  }
  const row = asObject(value);
  if (!row) throw new Rejection("unreadable_row", `the row is ${describeValue(value)}, not an object with a task`);
  return row;
}

function describeJsonError(text: string): string {
  const offset = jsonErrorOffset(text);
  if (offset === undefined) return "it can not be parsed";
  if (offset >= text.length) return text.trim() === "" ? "it is empty" : `it ends too early, after ${text.length} characters`;
  const char = String.fromCodePoint(text.codePointAt(offset) ?? 0xfffd);
  return `${describeCharacter(char)} can not stand at character ${offset + 1} of ${text.length}`;
}

/** In quotes, or by its code where it would not be seen. */
function describeCharacter(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return /[\p{C}\p{Z}]/u.test(char) && char !== " " ? `U+${code}` : JSON.stringify(char);
}

function withoutTask(row: JsonObject, bytes: Buffer): Rejection {
  const has = row.task !== undefined ? `"task" is ${describeValue(row.task)}` : `"tasks" is ${describeValue(row.tasks)}`;
  const start = excerpt(bytes.toString("utf8", 0, 8192));
  return new Rejection(
    "unreadable_row",
    `the row has no task ("task" in a v3 export, "tasks" in v2; here ${has}); it starts with: ${start}`,
  );
}

function readTask(task: JsonObject): TaskRow {
  return {
    taskId: asText(task.taskId),
    stage: asText(task.stage),
    stageId: asText(task.stageId),
    status: asText(task.status),
    completedAt: asTime(task.completedAt),
    isSkipped: task.isSkipped === true,
    reviewStatus: asText(asObject(task.review)?.status),
    history: asList(task.stageHistory).flatMap((entry) => readStageEntry(asObject(entry))),
    tools: asList(task.tools ?? task.objects).flatMap((tool) => readTool(asObject(tool))),
    hasBrush: asText(task.brushDataUrl) !== "",
    hasMedicalBrush: asText(task.medicalBrushDataUrl) !== "",
  };
}

function readStageEntry(entry: JsonObject | undefined): StageEntry[] {
  if (!entry) return [];
  const { stage, stageId, completedAt, reviewStatus } = entry;
  return [{ stage: asText(stage), stageId: asText(stageId), completedAt: asTime(completedAt), reviewStatus: asText(reviewStatus) }];
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function asCount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}

/** Times are ISO texts, and milliseconds in some places. */
function asTime(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && value !== "" ? Date.parse(value) : undefined;
}
