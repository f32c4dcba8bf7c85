import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { PaintedClass } from "../../proto/gen/maskline/v1/run.js";
import { DIVERGING_GRAYS, QUALITATIVE_10, QUALITATIVE_60, QUALITATIVE_948 } from "./palettes.js";
import type { OntologyTool } from "./project.js";
import { listed, quoted } from "./user-words.js";

/** What `class_mapping_type` may be, the default first. */
export const CLASS_MAPPING_TYPES = [
  "single_channel_sequential",
  "single_channel_diverging",
  "multi_channel_qualitative",
  "project_colors",
] as const;
export type ClassMappingType = (typeof CLASS_MAPPING_TYPES)[number];

export function isClassMappingType(name: unknown): name is ClassMappingType {
  return CLASS_MAPPING_TYPES.some((type) => type === name);
}

/** Classes that each mapping can tell apart. */
const CAPACITY: Readonly<Record<ClassMappingType, number>> = {
  single_channel_sequential: 255,
  single_channel_diverging: DIVERGING_GRAYS.length,
  multi_channel_qualitative: QUALITATIVE_948.length,
  project_colors: Number.POSITIVE_INFINITY,
};

/** Tools whose objects are painted, and the keys of their geometries (docs/hub-protocol.md section 12). */
export const PAINTED_TOOLS: readonly string[] = ["polygon", "segmentation"];

export interface ClassTable {
  readonly mode: ColourMode;
  readonly classes: PaintedClass[];
  /** For the user; nothing is wrong with the table. */
  readonly warnings: string[];
}

/** A class before it has its value. */
interface TitledClass {
  readonly title: string;
  readonly color: string | undefined;
  readonly schemaIds: string[];
}

/**
 * The painted classes in ontology order, numbered once over polygons and segmentations, with the gray value or colour of each
 * (docs/fill-semantics.md section 7). Equal titles are one class, with the colour of the first.
 */
export function buildClassTable(tools: readonly OntologyTool[], mapping: string): ClassTable | { readonly problem: string } {
  if (!isClassMappingType(mapping)) return { problem: unknownMapping(mapping) };
  const titled = paintedClasses(tools);
  if (titled.length > CAPACITY[mapping]) return { problem: tooMany(titled.length, mapping) };
  const warnings = titled.length > 0 ? [] : ["The project has no polygon and no segmentation class, so every mask is all background."];
  if (mapping === "project_colors") return withProjectColours(titled, warnings);
  const values = valuesOf(mapping, titled.length);
  const classes = titled.map(({ title, schemaIds }, k) => ({ title, value: values[k] ?? 0, schemaIds }));
  return { mode: mapping === "multi_channel_qualitative" ? ColourMode.RGB : ColourMode.GRAY, classes, warnings };
}

function paintedClasses(tools: readonly OntologyTool[]): TitledClass[] {
  const byTitle = new Map<string, TitledClass>();
  for (const { tool, title, schemaId, color } of tools) {
    if (!PAINTED_TOOLS.includes(tool)) continue;
    const known = byTitle.get(title) ?? { title, color, schemaIds: [] };
    if (schemaId !== "" && !known.schemaIds.includes(schemaId)) known.schemaIds.push(schemaId);
    byTitle.set(title, known);
  }
  return [...byTitle.values()];
}

/** The qualitative table depends on the number of classes, so an 11th class recolours all: users' old masks were made like that. */
function valuesOf(mapping: Exclude<ClassMappingType, "project_colors">, classes: number): readonly number[] {
  if (mapping === "single_channel_sequential") return Array.from({ length: classes }, (_, k) => k + 1);
  if (mapping === "single_channel_diverging") return DIVERGING_GRAYS;
  if (classes <= QUALITATIVE_10.length) return QUALITATIVE_10;
  return classes <= QUALITATIVE_60.length ? QUALITATIVE_60 : QUALITATIVE_948;
}

function unknownMapping(mapping: string): string {
  return `class_mapping_type is ${quoted(mapping)}; allowed: ${CLASS_MAPPING_TYPES.join(", ")}.`;
}

function tooMany(classes: number, mapping: ClassMappingType): string {
  const fitting = CLASS_MAPPING_TYPES.filter((type) => classes <= CAPACITY[type]);
  return `class_mapping_type "${mapping}" can tell ${CAPACITY[mapping]} classes apart, and the project has ${classes}. Allowed for so many: ${fitting.join(", ")}.`;
}

function withProjectColours(titled: readonly TitledClass[], warnings: string[]): ClassTable | { readonly problem: string } {
  const classes: PaintedClass[] = [];
  const colourless: string[] = [];
  for (const { title, color, schemaIds } of titled) {
    const value = parseColour(color);
    if (value === undefined) colourless.push(`${quoted(title)} (${color === undefined ? "none" : quoted(color)})`);
    else classes.push({ title, value, schemaIds });
  }
  if (colourless.length > 0) return { problem: withoutColour(colourless) };
  return { mode: ColourMode.RGB, classes, warnings: [...warnings, ...colourWarnings(classes)] };
}

function withoutColour(classes: readonly string[]): string {
  return (
    `class_mapping_type "project_colors" needs a colour such as #1f77b4 for every class of the project, and these have none that can be read: ${listed(classes)}. ` +
    "Set their colours in the project's ontology, or choose another mapping."
  );
}

/** 0xRRGGBB of `#rrggbb`, `rrggbb` or `#rgb`, or undefined. */
function parseColour(color: string | undefined): number | undefined {
  const digits = /^(?:#?([0-9a-f]{6})|#([0-9a-f]{3}))$/i.exec(color?.trim() ?? "");
  if (!digits) return undefined;
  const full = digits[1] ?? digits[2]?.replaceAll(/./g, "$&$&") ?? "";
  return Number.parseInt(full, 16);
}

/** Masks with such colours are right, but not everything can be read back from them. */
function colourWarnings(classes: readonly PaintedClass[]): string[] {
  const byColour = new Map<number, string[]>();
  for (const { title, value } of classes) byColour.set(value, [...(byColour.get(value) ?? []), quoted(title)]);
  const warnings: string[] = [];
  for (const [value, titles] of byColour) {
    const colour = `#${value.toString(16).padStart(6, "0")}`;
    if (titles.length > 1)
      warnings.push(`The classes ${listed(titles)} have the same colour, ${colour}: the masks can not tell them apart.`);
    if (value === 0)
      warnings.push(`${listed(titles)}: the colour ${colour} is also the background's, so nothing of it shows in the masks.`);
  }
  return warnings;
}
