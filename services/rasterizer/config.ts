/** The rasterizer's keys of the environment. */
import { bytes, type Config, integer, oneOf } from "../runtime/config.js";
import { imageKeys } from "../runtime/keys.js";
import { MAX_SIDE } from "./png-format.js";
import { PNG_ENCODERS, type RasterizerSettings } from "./settings.js";

export const rasterizerKeys = {
  ...imageKeys,
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
      fallback: "15000000",
      meaning:
        "What painting one mask may cost at most: image rows that each edge of its contours crosses, summed (of a tangle, 3 to 10 million take a second).",
    },
    { min: 1, max: 2 ** 31 - 1 },
  ),
  pngBytes: bytes(
    { env: "PNG_LIMIT", fallback: "64M", meaning: "Bytes of one mask's file at most; an asset with a larger one is rejected." },
    { min: 1024, max: 2 ** 30 },
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

export function rasterizerSettings({
  imagePixels,
  imageSide,
  edgeRows,
  pngBytes,
  pngEncoder,
}: Config<typeof rasterizerKeys>): RasterizerSettings {
  return { imagePixels, imageSide, edgeRows, pngBytes, pngEncoder };
}
