/** The filter's keys of the environment. */
import { type AddressRange, parseAddressRange } from "../runtime/address-rules.js";
import { bytes, type Config, duration, integer, type Key, list } from "../runtime/config.js";
import { imageKeys } from "../runtime/keys.js";
import type { ImageSettings } from "./image-sizes.js";
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
  fetchAllow: addressRanges(
    list({
      env: "FETCH_ALLOW",
      fallback: "",
      meaning: "Private addresses that images of an export may be fetched from: ranges as 10.20.0.0/16,fd12::/16, with commas between.",
    }),
  ),
  fetchConcurrency: integer(
    {
      env: "FETCH_CONCURRENCY",
      fallback: "16",
      meaning: "Images looked into at once, for sizes that the export does not tell; 0: never, such assets are rejected.",
    },
    { min: 0, max: 256 },
  ),
  fetchBytes: bytes(
    { env: "FETCH_BYTES_LIMIT", fallback: "2M", meaning: "Bytes that are read of one image at most; its size stands among the first." },
    { min: 65_536, max: 2 ** 26 },
  ),
  fetchTimeout: duration(
    { env: "FETCH_TIMEOUT", fallback: "30s", meaning: "How long finding the size of one image may take, with all tries." },
    { min: "1s", max: "60s" },
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

export function filterLimits(config: Config<typeof filterKeys>): FilterLimits {
  const { imagePixels, pointsPerContour, pointsPerAsset, partsPerAsset, fetchConcurrency } = config;
  return { imagePixels, pointsPerContour, pointsPerAsset, partsPerAsset, readsImages: fetchConcurrency > 0 };
}

/** How images are looked into. */
export function imageSettings({ fetchAllow, fetchConcurrency, fetchBytes, fetchTimeout }: Config<typeof filterKeys>): ImageSettings {
  return { allowed: fetchAllow, concurrency: fetchConcurrency, mostBytes: fetchBytes, timeoutMs: fetchTimeout };
}

function addressRanges(key: Key<readonly string[]>): Key<readonly AddressRange[]> {
  return { ...key, parse: (value) => key.parse(value).map(parseAddressRange) };
}
