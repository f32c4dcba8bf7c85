/** What a benchmark may be told on the command line; each has its own defaults. */
import type { BusName } from "./broker.js";

export interface BenchOptions {
  readonly assets?: number | undefined;
  readonly rounds?: number | undefined;
  readonly buses?: readonly BusName[] | undefined;
}
