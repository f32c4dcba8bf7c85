import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAutoscaler, recommendation, type ScalingSettings } from "./autoscaler.js";

const settings: ScalingSettings = {
  minReplicas: 1,
  maxReplicas: 16,
  lagThreshold: 32,
  activationLagThreshold: 0,
  pollingSeconds: 15,
  cooldownSeconds: 300,
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: "Percent", value: 100, periodSeconds: 15 },
      { type: "Pods", value: 4, periodSeconds: 15 },
    ],
  },
  scaleDown: { stabilizationWindowSeconds: 120, policies: [{ type: "Percent", value: 50, periodSeconds: 60 }] },
};

/** The pods at every multiple of 15 s while the lag is what the function says. */
function course(changed: Partial<ScalingSettings>, from: number, seconds: number, lagAt: (second: number) => number): number[] {
  const autoscaler = createAutoscaler({ ...settings, ...changed });
  const pods: number[] = [];
  let replicas = from;
  for (let second = 0; second <= seconds; second++) {
    replicas = autoscaler.replicasAt(second, lagAt(second), replicas);
    if (second % 15 === 0) pods.push(replicas);
  }
  return pods;
}

describe("the autoscaler", () => {
  it("wants a pod for every threshold of messages", () => {
    assert.equal(recommendation(settings, 512, 1), 16);
    assert.equal(recommendation(settings, 33, 4), 2);
    assert.equal(recommendation(settings, 0, 4), 0);
  });

  it("leaves things as they are within a tenth of the target", () => {
    assert.equal(recommendation(settings, 10 * 32 * 1.09, 10), 10);
    assert.equal(recommendation(settings, 10 * 32 * 0.91, 10), 10);
    assert.equal(recommendation(settings, 10 * 32 * 1.11, 10), 12);
  });

  it("adds at most as many as there are, or four, in 15 seconds, and never more than the maximum", () => {
    assert.deepEqual(
      course({}, 1, 60, () => 10_000),
      [5, 10, 16, 16, 16],
    );
  });

  it("takes none away before fewer were enough for the whole window, then half of them a minute, down to the minimum", () => {
    assert.deepEqual(
      course({}, 16, 360, (second) => (second === 0 ? 512 : 0)).filter((_, at) => at % 2 === 0),
      [16, 16, 16, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1],
    );
  });

  it("keeps the pods through a dip that is shorter than the window", () => {
    const pods = course({}, 16, 300, (second) => (second >= 60 && second < 150 ? 0 : 512));
    assert.deepEqual(new Set(pods), new Set([16]));
  });

  it("stays at 0 until there is more than the activation threshold, and goes back to 0 after the cooldown only", () => {
    const asleep = { minReplicas: 0, activationLagThreshold: 5 };
    assert.deepEqual(
      course(asleep, 0, 45, () => 5),
      [0, 0, 0, 0],
    );
    const woken = course(asleep, 0, 420, (second) => (second < 30 ? 6 : 0));
    assert.equal(woken[0], 1);
    assert.equal(woken[300 / 15], 1, "the cooldown counts from the last message");
    assert.equal(woken.at(-1), 0);
  });
});
