/** The filter's keys of the environment. */
import { type Config, duration, integer } from "../runtime/config.js";
import { imageKeys } from "../runtime/keys.js";
import type { FilterLimits } from "./limits.js";

export const filterKeys = {
  ...imageKeys,
  pointsPerContour: integer(
    {
      env: "POINTS_PER_CONTOUR_LIMIT",
      fallback: "200000",
      meaning: "Points of one contour at most; an asset with a longer one is rejected.",
    },
    { min: 1, max: 10_000_000 },
  ),
  pointsPerAsset: integer(
    {
      env: "POINTS_PER_ASSET_LIMIT",
      fallback: "2000000",
      meaning: "Points of all painted contours of an asset at most; one with more is rejected.",
    },
    { min: 1, max: 50_000_000 },
  ),
  partsPerAsset: integer(
    {
      env: "PARTS_PER_ASSET_LIMIT",
      fallback: "10000",
      meaning: "Masks (pages, annotated frames, v2 tasks) of one asset at most; one with more is rejected.",
    },
    { min: 1, max: 100_000 },
  ),
  unknownRun: duration(
    {
      env: "UNKNOWN_RUN_TIMEOUT",
      fallback: "60s",
      meaning: "How long the filter keeps the messages of a run that no gateway knows before it drops them.",
    },
    { min: "1s", max: "24h" },
  ),
} as const;

export function filterLimits({ imagePixels, pointsPerContour, pointsPerAsset, partsPerAsset }: Config<typeof filterKeys>): FilterLimits {
  return { imagePixels, pointsPerContour, pointsPerAsset, partsPerAsset };
}
