/** The lines of the two manifests; docs/archive.md describes them. */

/** One mask, or one asset that was left out. */
export interface ManifestRow {
  readonly index: number;
  /** From 1; undefined for an asset of a single mask and for a left-out one. */
  readonly part: { readonly number: number; readonly of: number } | undefined;
  /** Which page or frame of the export it shows, from 0; undefined where there is only one. */
  readonly page: number | undefined;
  readonly taskId: string;
  readonly assetId: string;
  readonly externalId: string;
  readonly batches: readonly string[];
  readonly result:
    | {
        readonly outcome: "mask";
        readonly file: string;
        readonly width: number;
        readonly height: number;
        readonly sha256: Uint8Array;
        /** By class title, in class order. */
        readonly pixels: readonly (readonly [title: string, pixels: number])[];
        /** Objects not painted, by kind. */
        readonly dropped: readonly (readonly [kind: string, count: number])[];
      }
    | { readonly outcome: "skipped"; readonly rule: string; readonly reason: string }
    | { readonly outcome: "rejected"; readonly code: string; readonly reason: string };
}

/**
 * One line of `manifest.ndjson`, with its line end.
 * @param volume the volume that the mask lies in; undefined: it has none, or there are no volumes
 */
export function manifestLine({ index, part, page, taskId, assetId, externalId, batches, result }: ManifestRow, volume?: number): string {
  const fields = [
    ["index", index],
    ...(part ? [["part", part.number] as const, ["parts", part.of] as const] : []),
    ...(page === undefined ? [] : [["page", page] as const]),
    ["taskId", taskId],
    ["assetId", assetId],
    ["externalId", externalId],
    ["batches", batches],
    ["outcome", result.outcome],
  ] as const;
  return `{${[...fields.map(([key, value]) => `"${key}":${JSON.stringify(value)}`), ...resultFields(result, volume)].join(",")}}\n`;
}

function resultFields(result: ManifestRow["result"], volume: number | undefined): string[] {
  switch (result.outcome) {
    case "mask":
      return [
        `"file":${JSON.stringify(result.file)}`,
        ...(volume === undefined ? [] : [`"volume":${volume}`]),
        `"width":${result.width}`,
        `"height":${result.height}`,
        `"sha256":"${Buffer.from(result.sha256).toString("hex")}"`,
        `"pixels":${orderedObject(result.pixels)}`,
        `"dropped":${orderedObject(result.dropped)}`,
      ];
    case "skipped":
      return [`"rule":${JSON.stringify(result.rule)}`, `"reason":${JSON.stringify(result.reason)}`];
    case "rejected":
      return [`"code":${JSON.stringify(result.code)}`, `"reason":${JSON.stringify(result.reason)}`];
  }
}

/** JSON of names to numbers in the given order: an object would move names such as "1" to the front. */
function orderedObject(entries: readonly (readonly [string, number])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}

/** The first line of `manifest.csv`, RFC 4180: comma, CRLF, quotes doubled. */
export function tableHeader(hasVolumes: boolean): string {
  return `externalId,taskId,file,outcome,reason${hasVolumes ? ",volume" : ""}\r\n`;
}

/**
 * One row of `manifest.csv`, with its line end.
 * @param volume the volume that the mask lies in, or "none"; undefined: the table has no such column
 */
export function tableRow({ externalId, taskId, result }: ManifestRow, volume?: number | "none"): string {
  const [file, reason] = result.outcome === "mask" ? [result.file, ""] : ["", result.reason];
  const cells = [externalId, taskId, file, result.outcome, reason];
  const behind = volume === undefined ? [] : [volume === "none" ? "" : String(volume)];
  return `${[...cells, ...behind].map(tableCell).join(",")}\r\n`;
}

/** A cell that a spreadsheet would take for a formula gets an apostrophe in front, as OWASP advises; the exact text is in the other manifest. */
function tableCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
