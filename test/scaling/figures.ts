/** What the simulation assumes where it is told nothing else. */
export const FIGURES = {
  assets: 1_000_000,
  /**
   * Processor time of an asset in each service, in ms. Measured: 6,000 assets of 1080p, gray, 48 KB of JSON a row, each service a process of its
   * own on NATS, on 4 cores that others used too; from the first tenth of the outcomes to the last.
   */
  filterMs: 0.9,
  rasterizerMs: 2.2,
  /** Of the same measurement: 0.6 ms and 0.45 ms on their one main thread. */
  gatewayPerSecond: 1_700,
  packagerPerSecond: 2_200,
  /** SYNC_SOON_MS of services/packager/sync-loop.ts. */
  syncSeconds: 0.1,
  /**
   * From the decision until a new pod works: scheduling, an image that the node has and a container are assumed; from the start of the process
   * until it is ready it takes 0.5 to 2 s (measured). A node that must be made first takes minutes.
   */
  startSeconds: 20,
} as const;

/** A mask that takes ten times as long: dense 4K images, or small shares of a core. */
export const HEAVY_FACTOR = 10;
