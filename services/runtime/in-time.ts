import { setTimeout as sleep } from "node:timers/promises";

/** Whether the work settles within `ms`. The clock alone does not keep the process alive. */
export function inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = sleep(ms, false, { ref: false });
  return Promise.race([
    work.then(
      () => true,
      () => true,
    ),
    late,
  ]);
}
