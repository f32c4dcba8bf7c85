/** How much memory a process takes for what it does not need any more, which is what it pays for looking for it less often. */
import { setFlagsFromString } from "node:v8";

/**
 * A heap may grow by so much of what was alive in it before garbage is looked for. V8 by itself lets it grow to four times on a machine
 * with much memory: a role that keeps 30 MB would take 130.
 */
const SMALL_GROWTH_PERCENT = 60;

/** Messages in flight live just long enough to grow old: with V8's own choice, 24 MB that stay are looked through five times a second. */
const FAST_GROWTH_PERCENT = 400;

/**
 * Keeps the heaps of this process and of its worker threads small, for a few percent of processor time at most. In containers with a memory
 * limit V8 does about the same by itself. V8 reads the flag at every collection, so that it may be set at any time.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${SMALL_GROWTH_PERCENT}`);
}

/** For a process that is the whole pipeline: its processor time is for painting. Costs some tens of megabytes at most. */
export function letHeapsGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${FAST_GROWTH_PERCENT}`);
}
