import sharp from "sharp";

export interface DecodedMask {
  readonly width: number;
  readonly height: number;
  /** As stored in the file. */
  readonly channels: number;
  /** A gray value, or `r,g,b`, per pixel, row by row. */
  readonly pixels: readonly string[];
}

/** Decodes a mask with sharp, as a user's loader would. */
export async function readMask(png: Buffer | undefined): Promise<DecodedMask> {
  if (!png) throw new Error("there is no such mask in the archive");
  const { channels = 0 } = await sharp(png).metadata();
  const image = channels === 1 ? sharp(png).toColourspace("b-w") : sharp(png);
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const pixels = Array.from({ length: info.width * info.height }, (_, at) =>
    data.subarray(at * info.channels, (at + 1) * info.channels).join(","),
  );
  return { width: info.width, height: info.height, channels, pixels };
}

/** The different values of a mask, as a sorted list. */
export function valuesOf({ pixels }: DecodedMask): string[] {
  return [...new Set(pixels)].sort();
}
