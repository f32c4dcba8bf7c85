/** What an export without its project tells of it: classes and batches, by first appearance. One pass, in bounded memory. */
import { open } from "node:fs/promises";
import { PAINTED_TOOLS } from "./class-table.js";
import { locateExportText, readExportText } from "./export-archive.js";
import { RowBlock } from "./export-rows.js";
import type { ExportLimits } from "./export-store.js";
import { asFields, type Fields } from "./json-value.js";
import type { OntologyTool, ProjectBatch } from "./project.js";
import { createRowSplitter } from "./split-rows.js";

export interface ExportSurvey {
  /** The painted ones, in the order in which they first appear; an export holds no colours. */
  readonly tools: readonly OntologyTool[];
  readonly batches: readonly ProjectBatch[];
}

const LINE_FEED = 0x0a;

/**
 * Reads the export once. Rows that can not be read tell nothing here: the pipeline rejects them by name.
 * @throws HubFailure when the file is no export; the signal's reason; system errors as they are.
 */
export async function surveyExport(path: string, limits: ExportLimits, signal: AbortSignal): Promise<ExportSurvey> {
  const file = await open(path, "r");
  try {
    const surveyor = createSurveyor();
    const block = new RowBlock(limits.maxLineBytes);
    const splitter = createRowSplitter(block);
    for await (const chunk of readExportText(file, await locateExportText(file, limits), limits, signal)) {
      splitter.push(chunk);
      surveyRows(block, surveyor);
    }
    splitter.end();
    surveyRows(block, surveyor);
    return surveyor.survey();
  } finally {
    await file.close();
  }
}

function surveyRows(block: RowBlock, surveyor: Surveyor): void {
  const rows = block.finished();
  for (let from = 0, end = rows.indexOf(LINE_FEED); end >= 0; from = end + 1, end = rows.indexOf(LINE_FEED, from)) {
    surveyor.add(parseOrNothing(rows.toString("utf8", from, end)));
  }
  block.drop();
}

export interface Surveyor {
  /** One row, parsed, of either version (docs/hub-protocol.md sections 10 and 11). */
  add(row: unknown): void;
  survey(): ExportSurvey;
}

export function createSurveyor(): Surveyor {
  const tools = new Map<string, OntologyTool>();
  const batches = new Set<string>();

  function addObject(object: Fields): void {
    const schemaId = asText(object.schemaId);
    const title = asText(object.title) || schemaId;
    const tool = PAINTED_TOOLS.find((kind) => isGeometry(object[kind]));
    const key = schemaId || `title ${title}`;
    if (tool !== undefined && title !== "" && !tools.has(key)) tools.set(key, { schemaId, title, tool, color: undefined });
  }

  return {
    add(row) {
      const asset = asFields(row);
      const task = asFields(asset?.task);
      const tasks = task ? [task] : asList(asset?.tasks).map(asFields);
      for (const name of asList(asset?.batches)) if (typeof name === "string") batches.add(name);
      for (const object of tasks.flatMap((each) => asList(each?.[task ? "tools" : "objects"]))) addObject(asFields(object) ?? {});
    },
    survey: () => ({ tools: [...tools.values()], batches: [...batches].map((name) => ({ id: undefined, name })) }),
  };
}

function isGeometry(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
