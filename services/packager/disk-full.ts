import { Fatal } from "../runtime/errors.js";

/** No room on the volume: ends the session that needed it, while others go on (docs/delivery.md rule 16). */
export class DiskFull extends Error {
  override readonly name = "DiskFull";
  constructor(options?: ErrorOptions) {
    super("the packager's disk is full", options);
  }
}

/** Whether a foreign error says so: no space, or a quota reached. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/** What the user is told. */
export const DISK_FULL_WORDS =
  "There is no room left on the disk where Maskline collects the masks. Ask whoever runs it to free some, then run the export again.";

/** Runs work on a run's spool: what the disk throws becomes DiskFull or Fatal. */
export async function translateDiskErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DiskFull) throw error;
    if (isDiskFull(error)) throw new DiskFull({ cause: error });
    throw new Fatal("the log of a run can not be read or written", { cause: error });
  }
}
