import type { Settings } from "../../proto/gen/maskline/v1/run.js";
import { CLASS_MAPPING_TYPES, isClassMappingType } from "./class-table.js";
import type { Fields } from "./json-value.js";
import { listedWithNearest } from "./nearest-name.js";
import { shortened } from "./user-words.js";

/** The settings are a message on the wire, where this is a 32-bit number. */
const MAX_FREQUENCY = 0xffff_ffff;

const EXAMPLE = '{"class_mapping_type": "project_colors"}';

/** One key of the Config JSON. `read` is only asked for a value that is not empty, and answers undefined when it is not allowed. */
interface SettingKey<T> {
  readonly fallback: T;
  readonly allowed: string;
  readonly read: (value: unknown) => T | undefined;
}

const CLASS_MAPPING: SettingKey<string> = {
  fallback: CLASS_MAPPING_TYPES[0],
  allowed: CLASS_MAPPING_TYPES.map((type) => `"${type}"`).join(", "),
  read: (value) => (isClassMappingType(value) ? value : undefined),
};

const SWITCHED_ON: SettingKey<boolean> = {
  fallback: true,
  allowed: "true or false, without quotes",
  read: (value) => (typeof value === "boolean" ? value : undefined),
};

const BATCH_NAMES: SettingKey<string[]> = {
  fallback: [],
  allowed: 'a list of batch names such as ["batch 1", "batch 2"]; an empty list for all batches',
  read: (value) => (Array.isArray(value) && value.every((name) => typeof name === "string") ? [...new Set<string>(value)] : undefined),
};

const FREQUENCY: SettingKey<number> = {
  fallback: 1000,
  allowed: `a whole number from 1 to ${MAX_FREQUENCY}`,
  read: (value) => (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_FREQUENCY ? Number(value) : undefined),
};

const KEYS = {
  class_mapping_type: CLASS_MAPPING,
  export_reviewed_assets: SWITCHED_ON,
  export_labeled_assets: SWITCHED_ON,
  batch_names: BATCH_NAMES,
  verbose: SWITCHED_ON,
  verbose_frequency: FREQUENCY,
  include_key_frames_only: { ...SWITCHED_ON, fallback: false },
} as const;

export type SettingsResult = { readonly settings: Settings; readonly warnings: string[] } | { readonly problems: string[] };

/**
 * The settings in what a user typed in Hub's Config JSON box, complete with defaults. No text, blanks, `""`, `null` and `{}` are all
 * defaults, and so is a key whose value is `null` or `""`. Everything wrong is told at once, in words for that user, with the key, its
 * value and what is allowed. An object that is parsed already is taken as it is.
 */
export function parseSettings(configJson: unknown): SettingsResult {
  const config = parseConfig(configJson);
  if ("problem" in config) return { problems: [config.problem] };
  const { fields } = config;
  const problems: string[] = [];
  const read = <T>(name: keyof typeof KEYS, { fallback, allowed, read }: SettingKey<T>): T => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (isEmpty(value)) return fallback;
    const setting = read(value);
    if (setting === undefined) problems.push(`${name} is ${shown(value)}; allowed: ${allowed}.`);
    return setting ?? fallback;
  };
  const settings: Settings = {
    classMappingType: read("class_mapping_type", KEYS.class_mapping_type),
    exportReviewedAssets: read("export_reviewed_assets", KEYS.export_reviewed_assets),
    exportLabeledAssets: read("export_labeled_assets", KEYS.export_labeled_assets),
    batchNames: read("batch_names", KEYS.batch_names),
    verbose: read("verbose", KEYS.verbose),
    verboseFrequency: read("verbose_frequency", KEYS.verbose_frequency),
    includeKeyFramesOnly: read("include_key_frames_only", KEYS.include_key_frames_only),
  };
  if (!settings.exportReviewedAssets && !settings.exportLabeledAssets) problems.push(NOTHING_TO_EXPORT);
  return problems.length > 0 ? { problems } : { settings, warnings: unknownKeys(fields) };
}

const NOTHING_TO_EXPORT =
  "export_reviewed_assets and export_labeled_assets are both false, so there is nothing to export; allowed: at least one of them true, or left out.";

function parseConfig(configJson: unknown): { readonly fields: Fields } | { readonly problem: string } {
  const parsed = typeof configJson === "string" ? parseText(configJson) : { value: configJson };
  if ("problem" in parsed) return parsed;
  const { value } = parsed;
  if (isEmpty(value)) return { fields: {} };
  if (typeof value === "object" && !Array.isArray(value)) return { fields: value as Fields };
  return { problem: `The Config JSON is ${shown(value)}; allowed: nothing at all, or an object such as ${EXAMPLE}.` };
}

function parseText(text: string): { readonly value: unknown } | { readonly problem: string } {
  if (text.trim() === "") return { value: undefined };
  try {
    return { value: JSON.parse(text.trim()) };
  } catch {
    const hint = "Names and texts stand in double quotes, true and false in small letters, and no comma follows the last entry.";
    return {
      problem: `The Config JSON is no valid JSON: ${shortened(text.trim())}. Allowed: nothing at all, or an object such as ${EXAMPLE}. ${hint}`,
    };
  }
}

/** What people leave in a box or behind a key when they do not want to choose. */
function isEmpty(value: unknown): value is undefined | null | string {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

function unknownKeys(fields: Fields): string[] {
  const known = Object.keys(KEYS);
  const unknown = Object.keys(fields).filter((key) => !known.includes(key));
  if (unknown.length === 0) return [];
  const what = unknown.length === 1 ? "a key that is not known and is" : `${unknown.length} keys that are not known and are`;
  const keys = listedWithNearest(unknown, known);
  return [`The Config JSON has ${what} left aside: ${keys}. The known ones are ${known.join(", ")}.`];
}

function shown(value: unknown): string {
  return shortened(JSON.stringify(value) ?? typeof value);
}
