/** How large an asset's masks are. */
import type { AssetRow } from "./asset-row.js";
import { describeValue } from "./excerpt.js";
import { Rejection } from "./rejection.js";

export interface Size {
  /** Pixels, from 1. */
  readonly width: number;
  readonly height: number;
}

/**
 * From `metadata.width` and `.height`: of all frames of a video, but only of the first page of a multi-image asset, whose pages may differ.
 * @throws Rejection `no_size`, or `over_limit` for more than `pixelLimit` pixels.
 */
export function sizeOf(row: AssetRow, pixelLimit: number): Size {
  if (row.pages > 1) {
    throw new Rejection("no_size", `it has ${row.pages} pages, and the export tells the size of page 1 only: that of page 2 is not known`);
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
