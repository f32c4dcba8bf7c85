/** The gateway's times, as one record: so that a test can live through hours in a second. All in milliseconds. */
export interface Timing {
  /** Without progress for so long, what is missing is published again (docs/delivery.md rule 6). */
  readonly stall: number;
  /** A packager that has been silent for so long loses its runs to another one (rule 7). */
  readonly silence: number;
  /** A session without any progress for so long ends with an error, whatever it waits for. */
  readonly giveUp: number;
  /** A packager heard within this time is in Sync. */
  readonly inSync: number;
  /** A user is told that there is no packager after so long. */
  readonly waitNotice: number;
  /** A run is looked at at least this often. */
  readonly tick: number;
  /** The position is recorded at most this often. */
  readonly positionEvery: number;
  /** Pauses between tries of what is away, doubled up to the longest. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** Results of ended sessions are kept so long (rule 9). */
  readonly keepResults: number;
  /** Blobs of runs that are not open are deleted when their youngest is so old (rule 20). */
  readonly keepBlobs: number;
  /** For durations. It only ever goes forward, and stands still while the machine sleeps: neither ends a healthy session. */
  readonly now: () => number;
  /** Milliseconds since 1970, for what is stored and outlives the process. */
  readonly wallClock: () => number;
}

const MINUTE = 60_000;

export const defaultTiming: Timing = {
  stall: 5 * MINUTE,
  silence: 15 * MINUTE,
  giveUp: 6 * 60 * MINUTE,
  inSync: 10_000,
  waitNotice: 30_000,
  tick: 1_000,
  positionEvery: 250,
  firstPause: 250,
  longestPause: 15_000,
  keepResults: 30 * 24 * 60 * MINUTE,
  keepBlobs: 24 * 60 * MINUTE,
  now: () => performance.now(),
  wallClock: Date.now,
};
