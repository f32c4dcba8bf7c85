/** The chart gives every role longer to end than it was measured to take (docs/reliability.md). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readRendered, renderings } from "../helm/chart-files.js";
import { podsOf, roleOf } from "../helm/pods.js";
import { CHAOS_BROKERS } from "./brokers.js";
import { readDrains } from "./drains.js";
import type { Role } from "./fleet.js";

const ROLES: readonly Role[] = ["gateway", "filter", "rasterizer", "packager"];
/** Another machine may be so many times slower than the one that was measured on. */
const SLOWER = 10;

describe("measured drains", () => {
  const drains = readDrains();

  it("are there for every broker and role, under work", () => {
    assert.deepEqual(Object.keys(drains).sort(), Object.keys(CHAOS_BROKERS).sort());
    for (const [bus, ofBus] of Object.entries(drains)) {
      for (const role of ROLES) assert.ok(ofBus[role].underWork > 0, `${role} on ${bus} had no work when it was told to end`);
    }
  });

  for (const name of renderings) {
    it(`are shorter than the grace periods of what the chart renders as ${name}`, () => {
      const pods = podsOf(readRendered(name)).filter((pod) => ROLES.some((role) => role === roleOf(pod)) && !pod.isTest);
      assert.deepEqual(new Set(pods.map(roleOf)), new Set(ROLES));
      for (const pod of pods) {
        const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 0) * 1_000;
        const waitMs = (pod.container.lifecycle?.preStop.sleep.seconds ?? 0) * 1_000;
        for (const [bus, ofBus] of Object.entries(drains)) {
          const { longestMs } = ofBus[ROLES.find((role) => role === roleOf(pod)) ?? "gateway"];
          const needed = waitMs + longestMs * SLOWER;
          assert.ok(graceMs > needed, `${pod.name} on ${bus}: ${longestMs} ms measured, ${waitMs} ms before, ${graceMs} ms of grace`);
        }
      }
    });
  }
});
