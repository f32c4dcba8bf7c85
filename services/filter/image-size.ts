/** Widths and heights from headers of images, by the image-size library: its only import. */
import type { imageSize } from "image-size";
import { BMP } from "image-size/types/bmp";
import { GIF } from "image-size/types/gif";
import { JPG } from "image-size/types/jpg";
import { PNG } from "image-size/types/png";
import { TIFF } from "image-size/types/tiff";
import { WEBP } from "image-size/types/webp";
import type { Size } from "./size.js";

export type HeaderFormat = "PNG" | "JPEG" | "WebP" | "TIFF" | "GIF" | "BMP";

interface Reader {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly calculate: (bytes: Uint8Array) => Pick<ReturnType<typeof imageSize>, "width" | "height" | "orientation">;
}

const READERS: Readonly<Record<HeaderFormat, Reader>> = { PNG, JPEG: JPG, WebP: WEBP, TIFF, GIF, BMP };

/** EXIF orientations that turn the image by a quarter: shown, its width is what is stored as height (EXIF 2.32, tag 274). */
const TURNED = [5, 6, 7, 8];

/** The size as the image is shown; undefined when these bytes do not tell it: they are too few, or wrong. */
export function readHeader(format: HeaderFormat, bytes: Uint8Array): Size | undefined {
  // The library reads past the end of a view, into the memory around it.
  const own = Uint8Array.from(bytes);
  try {
    const reader = READERS[format];
    if (!reader.validate(own)) return undefined;
    const { width, height, orientation = 1 } = reader.calculate(own);
    return TURNED.includes(orientation) ? { width: height, height: width } : { width, height };
  } catch {
    return undefined;
  }
}
