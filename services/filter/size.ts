/** How large a part's mask is. */
import type { AssetRow } from "./asset-row.js";
import { describeValue } from "./excerpt.js";
import type { Part } from "./parts.js";
import { Rejection } from "./rejection.js";

export interface Size {
  /** Pixels, from 1. */
  readonly width: number;
  readonly height: number;
}

/**
 * From `metadata.width` and `.height`. All frames of a video have that size; of a multi-image asset it is the first page's.
 * @throws Rejection `no_size`, or `over_limit` for more than `pixelLimit` pixels.
 */
export function sizeOf(row: AssetRow, part: Part, pixelLimit: number): Size {
  if (row.pages > 1 && part.page !== undefined && part.page > 0) {
    throw new Rejection("no_size", `the export tells the size of page 1 only, and this is page ${part.page + 1} of ${row.pages}`);
  }
  const { width, height } = row;
  if (!isLength(width) || !isLength(height)) {
    const found = `metadata.width is ${describeValue(width)}, metadata.height is ${describeValue(height)}`;
    throw new Rejection(
      "no_size",
      `the export does not tell its size: ${found}, whole numbers from 1 are needed; open the asset in Hub once, or give its size at import`,
    );
  }
  if (width * height > pixelLimit) {
    throw new Rejection(
      "over_limit",
      `it has ${width} x ${height} pixels; this installation paints masks of ${pixelLimit} pixels at most (IMAGE_PIXEL_LIMIT)`,
    );
  }
  return { width, height };
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1;
}
