/** Names of the masks in the archive: safe in every file system, unique even where case does not count, the same for the same order. */

/** Files at the archive's root that no mask may be called. */
export const ARCHIVE_FILES = {
  classMappingJson: "class_mapping.json",
  classMappingText: "class_mapping.txt",
  manifestLines: "manifest.ndjson",
  manifestTable: "manifest.csv",
  volumes: "volumes.json",
} as const;

const MAX_STEM = 100;

/** Device names of Windows, which no file there can have, whatever its extension. */
const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

export interface MaskToName {
  readonly taskId: string;
  readonly index: number;
  /** From 0. */
  readonly part: number;
  readonly parts: number;
}

/**
 * A function that names masks one after the other: `<taskId>.png`; one of several parts `<taskId>-<k>.png` with k from 1, padded to the
 * digits of their number. A name that is taken gets `-2`, `-3`, ... Call it in the order of index and part.
 */
export function createEntryNames(): (mask: MaskToName) => string {
  const taken = new Set<string>(Object.values(ARCHIVE_FILES));
  /** Where to go on counting for a stem that was taken before; else many equal names would take quadratic time. */
  const nextSuffix = new Map<string, number>();
  return (mask) => {
    const stem = stemOf(mask);
    const key = stem.toLowerCase();
    let suffix = nextSuffix.get(key) ?? 1;
    let name = suffix === 1 ? `${stem}.png` : `${stem}-${suffix}.png`;
    while (taken.has(name.toLowerCase())) {
      suffix += 1;
      name = `${stem}-${suffix}.png`;
    }
    if (suffix > 1) nextSuffix.set(key, suffix + 1);
    taken.add(name.toLowerCase());
    return name;
  };
}

function stemOf({ taskId, index, part, parts }: MaskToName): string {
  const safe = taskId
    .replace(/[^A-Za-z0-9._-]/gu, "_")
    .slice(0, MAX_STEM)
    .replace(/^\.+/, (dots) => "_".repeat(dots.length));
  const stem = safe === "" ? `asset-${index}` : DEVICE_NAME.test(safe) ? `_${safe}` : safe;
  return parts > 1 ? `${stem}-${String(part + 1).padStart(String(parts).length, "0")}` : stem;
}
