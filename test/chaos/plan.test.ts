import assert from "node:assert/strict";
import { test } from "node:test";
import { MEMBERS } from "./fleet.js";
import { type BlowKind, GAP, type PlanOptions, planBlows } from "./plan.js";

const LONG: PlanOptions = {
  seed: 1,
  members: MEMBERS,
  takeoverMs: 1_000,
  durationMs: 200_000,
  once: ["broker", "volume", "messages", "broker"],
};
const SEEDS = Array.from({ length: 50 }, (_, at) => at + 1);

test("the same seed gives the same plan, another one another", () => {
  assert.deepEqual(planBlows(LONG), planBlows(LONG));
  assert.notDeepEqual(planBlows(LONG), planBlows({ ...LONG, seed: 2 }));
});

test("between two blows there are at least three takeover times, so that each is mended before the next", () => {
  for (const seed of SEEDS) {
    const times = planBlows({ ...LONG, seed }).map(({ atMs }) => atMs);
    times.slice(1).forEach((at, before) => {
      assert.ok(at - (times[before] ?? 0) >= 3 * LONG.takeoverMs, `seed ${seed}: ${times}`);
    });
    assert.ok(times.length >= LONG.durationMs / (GAP.most * LONG.takeoverMs), `seed ${seed}: only ${times.length}`);
  }
});

test("what is to happen once happens, also in a run with room for no more", () => {
  const countOf = (options: PlanOptions, wanted: BlowKind) => planBlows(options).filter(({ kind }) => kind === wanted).length;
  for (const seed of SEEDS) {
    for (const durationMs of [16_000, 200_000]) {
      const options = { ...LONG, seed, durationMs };
      assert.equal(countOf(options, "broker"), 2, `seed ${seed}`);
      assert.equal(countOf(options, "volume"), 1, `seed ${seed}`);
      assert.equal(countOf(options, "messages"), 1, `seed ${seed}`);
    }
  }
});

test("every process is killed in a long run; volumes are lost by packagers, messages by rasterizers", () => {
  const plan = planBlows(LONG);
  assert.deepEqual(new Set(plan.flatMap(({ victims }) => victims)), new Set(Object.keys(MEMBERS)));
  for (const { kind, victims } of plan) {
    if (kind === "volume") assert.match(victims.join(), /^packager-\d$/);
    if (kind === "messages") assert.deepEqual(victims, ["rasterizer-1", "rasterizer-2", "rasterizer-3", "rasterizer-4"]);
    if (kind === "broker") assert.deepEqual(victims, []);
  }
});
