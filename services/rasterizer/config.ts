/** The rasterizer's keys of the environment. */
import { type Config, integer, oneOf } from "../runtime/config.js";
import { MAX_SIDE } from "./png-format.js";
import { PNG_ENCODERS, type RasterizerSettings } from "./settings.js";

export const rasterizerKeys = {
  imagePixels: integer(
    {
      env: "IMAGE_PIXEL_LIMIT",
      fallback: "268435456",
      meaning: "Pixels (width x height) of one mask at most; a larger asset is rejected.",
    },
    { min: 1, max: 2 ** 31 - 1 },
  ),
  imageSide: integer(
    {
      env: "IMAGE_SIDE_LIMIT",
      fallback: "131072",
      meaning: "Pixels that a mask is wide or high at most; a larger asset is rejected.",
    },
    { min: 1, max: MAX_SIDE },
  ),
  edgeRows: integer(
    {
      env: "EDGE_ROW_LIMIT",
      fallback: "50000000",
      meaning:
        "What painting one mask may cost at most: image rows that each edge of its contours crosses, summed (a few million of a tangle take a second).",
    },
    { min: 1, max: 2 ** 31 - 1 },
  ),
  pngEncoder: oneOf(
    {
      env: "PNG_ENCODER",
      fallback: "runs",
      meaning: "What writes the PNG files: runs (this project's own, straight from rows of runs) or sharp (the reference, slower).",
    },
    PNG_ENCODERS,
  ),
} as const;

export function rasterizerSettings({ imagePixels, imageSide, edgeRows, pngEncoder }: Config<typeof rasterizerKeys>): RasterizerSettings {
  return { imagePixels, imageSide, edgeRows, pngEncoder };
}
