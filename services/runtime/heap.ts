/** How much memory a process takes for what it does not need any more. */
import { setFlagsFromString } from "node:v8";

/**
 * A heap may grow by so much of what was alive in it before garbage is looked for. V8 by itself lets it grow to four times on a machine
 * with much memory: a role that keeps 30 MB would take 130.
 */
const GROWTH_PERCENT = 60;

/**
 * Keeps the heaps of this process and of its worker threads small, for a few percent of processor time at most. In containers with a memory
 * limit V8 does about the same by itself. V8 reads the flag at every collection, so that it may be set at any time.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
