/** One object of a task: an entry of `tools` (v3) or `objects` (v2). Its geometry stays as it is until it is painted (geometry.ts). */
import { DROPPED_KINDS } from "../../proto/outcomes.js";

export interface ToolRow {
  readonly objectId: string;
  readonly schemaId: string;
  readonly title: string;
  /** 0-based page or frame, as it stands; undefined when the entry has none. */
  readonly page: unknown;
  /** In a video: from this frame on the object is gone. */
  readonly stopped: boolean;
  /** The tool that drew it, which is the name of its geometry key; `DROPPED_KINDS.noGeometry` when it has none. */
  readonly kind: string;
  readonly geometry: unknown;
}

export const POLYGON = "polygon";
export const SEGMENTATION = "segmentation";

/** Geometry keys that are known, in the order they are looked for. */
const KNOWN_KINDS = [
  POLYGON,
  SEGMENTATION,
  "bounding-box",
  "rotated-bounding-box",
  "polyline",
  "point",
  "spline",
  "circle",
  "ellipse",
  "ner",
  "pdf",
  "brush",
  "medical-brush",
];

/** Lists and objects of an entry that are no geometry. */
const OTHER_KEYS = new Set(["classifications", "metadata", "masks", "relations", "attributes", "page"]);

/** A key that a tool may be named by in logs and in the manifest. */
const TOOL_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;

/** None when the entry is no object. */
export function readTool(entry: Readonly<Record<string, unknown>> | undefined): ToolRow[] {
  if (!entry) return [];
  const { objectId, schemaId, title, page } = entry;
  const kind = kindOf(entry);
  return [
    {
      objectId: typeof objectId === "string" ? objectId : "",
      schemaId: typeof schemaId === "string" ? schemaId : "",
      title: typeof title === "string" ? title : "",
      page: page ?? undefined,
      stopped: entry.interpolationStopped === true,
      kind,
      geometry: Object.hasOwn(entry, kind) ? entry[kind] : undefined,
    },
  ];
}

function kindOf(entry: Readonly<Record<string, unknown>>): string {
  for (const kind of KNOWN_KINDS) {
    const geometry = entry[kind];
    if (geometry !== undefined && geometry !== null && geometry !== false) return kind;
  }
  for (const key of Object.keys(entry)) {
    if (typeof entry[key] === "object" && entry[key] !== null && !OTHER_KEYS.has(key) && TOOL_NAME.test(key)) return key;
  }
  return [POLYGON, SEGMENTATION].find((kind) => entry[kind] === null) ?? DROPPED_KINDS.noGeometry;
}

/** Whether this is a tool that Hub is known to have, painted or not. */
export function isKnownKind(kind: string): boolean {
  return KNOWN_KINDS.includes(kind);
}
