/** The conformance suite of the bus port (services/runtime/bus/bus.ts): what every adapter promises, one behaviour a test. */
import { runBehaviours } from "./behaviours.js";
import { deliveryBehaviours } from "./bus-delivery.js";
import { flowBehaviours } from "./bus-flow.js";
import { leavingBehaviours } from "./bus-leaving.js";
import type { BusFixture } from "./bus-probe.js";
import { settlingBehaviours } from "./bus-settling.js";
import type { Exception } from "./exceptions.js";

/**
 * Runs the suite for one adapter.
 * @param exceptions what the adapter is excused from; everything else is run.
 * @param atOnce tests that run at the same time; more than 1 only where every fixture has a broker of its own.
 */
export function busConformance(name: string, makeBus: () => Promise<BusFixture>, exceptions: readonly Exception[], atOnce = 1): void {
  const behaviours = [...deliveryBehaviours, ...settlingBehaviours, ...flowBehaviours, ...leavingBehaviours];
  runBehaviours(name, behaviours, makeBus, exceptions, atOnce);
}
