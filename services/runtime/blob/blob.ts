/**
 * The blob port: payloads that are too large for the bus. Keys are `<run>/<rest>`, of [A-Za-z0-9._/-], without empty, `.` or `..`
 * segments; anything else is refused with a TypeError. Adapters: file; s3.
 */
export interface Blobs {
  /** Stores or replaces it whole: a reader sees the old, the new, or nothing, never a part. Rejects with Retry, or Fatal when refused for good. */
  put(key: string, body: Uint8Array): Promise<void>;
  /** The body, or undefined when there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Deletes all blobs of a run. None there is fine. */
  deleteRun(run: string): Promise<void>;
  /** The runs that have blobs, with the time in milliseconds of their youngest one; for sweeping. */
  listRuns(): Promise<{ readonly run: string; readonly youngestMs: number }[]>;
}
