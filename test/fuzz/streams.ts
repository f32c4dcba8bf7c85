/** What is fuzzed, by name; each loads what it needs alone. */
import type { Heartbeat, Tally } from "./tally.js";

export const STREAMS = ["rows", "archives", "configs", "images"] as const;
export type StreamName = (typeof STREAMS)[number];

type Fuzz = (seed: number, from: number, end: number, beat: Heartbeat) => Promise<Tally>;

export const FUZZERS: Readonly<Record<StreamName, () => Promise<Fuzz>>> = {
  rows: async () => (await import("./fuzz-rows.js")).fuzzRows,
  archives: async () => (await import("./fuzz-archives.js")).fuzzArchives,
  configs: async () => (await import("./fuzz-configs.js")).fuzzConfigs,
  images: async () => (await import("./fuzz-images.js")).fuzzImages,
};
