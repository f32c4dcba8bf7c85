/** How large an asset's masks are: as the export says, and where it does not, as its images say (docs/image-sizes.md). */
import type { AssetRow } from "./asset-row.js";
import { describeValue } from "./excerpt.js";
import type { FilterLimits } from "./limits.js";
import type { Part } from "./parts.js";
import { Rejection } from "./rejection.js";

export interface Size {
  /** Pixels, from 1. */
  readonly width: number;
  readonly height: number;
}

/** An image whose size the export does not tell. */
export interface ImageNeeded {
  /** Its place in `AssetRow.imageUrls`. */
  readonly image: number;
  /** Signed: never shown, never passed on. */
  readonly url: string;
}

/** What became of an image that was needed, by its place: its size, or why there is none, in words. */
export type ImageSizes = ReadonlyMap<number, Size | { readonly problem: string }>;

/**
 * The parts with their sizes, or which images are needed for them. `metadata.width` and `.height` are those of all frames of a video, but only of the first page of a multi-image asset, whose pages may
 * differ.
 * @param images what is known from the images so far
 * @throws Rejection `no_size`, or `over_limit` for more pixels than allowed.
 */
export function withSizes<P extends Pick<Part, "page">>(
  row: AssetRow,
  parts: readonly P[],
  images: ImageSizes,
  limits: FilterLimits,
): { readonly sized: readonly (P & Size)[] } | { readonly needed: readonly ImageNeeded[] } {
  const sized: (P & Size)[] = [];
  const needed = new Map<number, ImageNeeded>();
  for (const part of parts) {
    const image = row.pages > 0 ? (part.page ?? 0) : 0;
    const size = toldSize(row, image) ?? images.get(image);
    if (!size) needed.set(image, { image, url: urlOf(row, image, limits) });
    else if ("problem" in size) throw new Rejection("no_size", `${describeMissing(row, image)}, and its image ${size.problem}`);
    else sized.push({ ...part, ...checked(row, image, size, limits) });
  }
  return needed.size > 0 ? { needed: [...needed.values()] } : { sized };
}

function toldSize({ width, height }: AssetRow, image: number): Size | undefined {
  return image === 0 && isLength(width) && isLength(height) ? { width, height } : undefined;
}

function isLength(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1;
}

/** No server takes a longer one. */
const MOST_URL_CHARACTERS = 16_384;

/** @throws Rejection when the size can not be looked up there */
function urlOf(row: AssetRow, image: number, { readsImages }: FilterLimits): string {
  const url = row.imageUrls[image] ?? "";
  if (!readsImages) {
    const advice = "images are not looked into here (FETCH_CONCURRENCY is 0); open the asset in Hub once, or give its size at import";
    throw new Rejection("no_size", `${describeMissing(row, image)}, and ${advice}`);
  }
  if (url === "") throw new Rejection("no_size", `${describeMissing(row, image)}, nor where its image is`);
  if (url.length > MOST_URL_CHARACTERS) {
    throw new Rejection("no_size", `${describeMissing(row, image)}, and the URL of its image has ${url.length} characters`);
  }
  return url;
}

function describeMissing({ pages, width, height }: AssetRow, image: number): string {
  if (image > 0) return `the export does not tell the size of page ${image + 1} of ${pages}`;
  const found = `metadata.width is ${describeValue(width)}, metadata.height is ${describeValue(height)}`;
  return `the export does not tell its size (${found})`;
}

function checked({ pages }: AssetRow, image: number, size: Size, { imagePixels }: FilterLimits): Size {
  const { width, height } = size;
  if (width * height <= imagePixels) return size;
  const which = pages > 1 ? `page ${image + 1} of it` : "it";
  throw new Rejection(
    "over_limit",
    `${which} has ${width} x ${height} pixels; this installation paints masks of ${imagePixels} pixels at most (IMAGE_PIXEL_LIMIT)`,
  );
}
