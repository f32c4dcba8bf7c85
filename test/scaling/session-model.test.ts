import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ScalingSettings } from "./autoscaler.js";
import { rateOf, type SessionInputs, simulateSession } from "./session-model.js";

const scaling: ScalingSettings = {
  minReplicas: 1,
  maxReplicas: 16,
  lagThreshold: 32,
  activationLagThreshold: 0,
  pollingSeconds: 15,
  cooldownSeconds: 300,
  scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: "Percent", value: 100, periodSeconds: 15 }] },
  scaleDown: { stabilizationWindowSeconds: 120, policies: [{ type: "Percent", value: 50, periodSeconds: 60 }] },
};

const inputs: SessionInputs = {
  assets: 60_000,
  window: 512,
  gatewayPerSecond: 100_000,
  packagerPerSecond: 100_000,
  syncSeconds: 0.1,
  startSeconds: 20,
  work: { filter: { milliseconds: 0.1, concurrency: 1 }, rasterizer: { milliseconds: 10, concurrency: 2 } },
  scaling: { filter: scaling, rasterizer: scaling },
};

const run = (changed: Partial<SessionInputs> = {}) => simulateSession({ ...inputs, ...changed }, { until: 3_600, idle: 600 });
const fixed = (rasterizer: number) => run({ fixed: { filter: 1, rasterizer } });

describe("a simulated session", () => {
  it("takes as long as its bottleneck: assets / (pods x rate of a pod)", () => {
    assert.equal(rateOf(inputs.work.rasterizer), 200);
    assert.ok(Math.abs((fixed(1).finishedAt ?? 0) - 300) <= 3);
    assert.ok(Math.abs((fixed(4).finishedAt ?? 0) - 75) <= 3);
  });

  it("shows the autoscaler no more than the window, however many assets wait", () => {
    const most = Math.max(...fixed(1).samples.map(({ lag }) => lag.filter + lag.rasterizer));
    assert.ok(most <= inputs.window && most > inputs.window * 0.9, `${most}`);
  });

  it("is bound by the window over the way there and back, however many pods there are", () => {
    const narrow = run({ window: 64, fixed: { filter: 1, rasterizer: 100 } });
    const rate = inputs.assets / (narrow.finishedAt ?? 0);
    assert.ok(rate < 64 / inputs.syncSeconds, `${rate}`);
  });

  it("reaches window / (threshold + what a pod does between two syncs) pods, and is done much sooner than with one", () => {
    const { samples, finishedAt = Number.POSITIVE_INFINITY } = run();
    const most = Math.max(...samples.map(({ replicas }) => replicas.rasterizer));
    assert.ok(most >= 512 / (32 + 200 * 0.1) && most <= 512 / 32, `${most}`);
    assert.ok(finishedAt < 150, `${finishedAt}`);
    assert.equal(samples.at(-1)?.replicas.rasterizer, 1, "the pods go when there is nothing to do any more");
  });

  it("never brings a second pod where the threshold is as large as the window", () => {
    const wide = { ...scaling, lagThreshold: 512 };
    const { samples } = run({ scaling: { filter: wide, rasterizer: wide } });
    assert.equal(Math.max(...samples.map(({ replicas }) => replicas.rasterizer)), 1);
  });

  it("begins with nothing where the minimum is 0, and ends with nothing", () => {
    const asleep = { ...scaling, minReplicas: 0 };
    const { samples, finishedAt } = run({ scaling: { filter: asleep, rasterizer: asleep } });
    assert.ok(finishedAt !== undefined);
    assert.deepEqual(samples.at(-1)?.replicas, { filter: 0, rasterizer: 0 });
  });
});
