/** What the simulation assumes where it is told nothing else. Measured ones are of docs/benchmarks.md; docs/scaling.md tells which are not. */
export const FIGURES = {
  assets: 1_000_000,
  /** Processor time of an asset in each service, in ms: of the 4.0 ms that the whole pipeline takes at 1080p, gray, 48 KB of JSON a row. */
  filterMs: 1,
  rasterizerMs: 2,
  /** Gateway and packager take 0.5 ms each on their one main thread. */
  gatewayPerSecond: 2_000,
  packagerPerSecond: 2_000,
  /** SYNC_SOON_MS of services/packager/sync-loop.ts. */
  syncSeconds: 0.1,
  /** Scheduling, an image that the node has, 2 s of starting, joining the bus. A node that must be made first takes minutes. */
  startSeconds: 20,
} as const;

/** A mask that takes ten times as long: dense 4K images, or small shares of a core. */
export const HEAVY_FACTOR = 10;
