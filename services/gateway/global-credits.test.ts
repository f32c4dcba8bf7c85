import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCredits } from "./credits.js";
import { createGlobalCredits, SMALLEST_SHARE, shareOf } from "./global-credits.js";

/** A run that publishes as much as it may. */
function openRun(limits: { readonly window: number; readonly globalWindow?: number }, global = createGlobalCredits(limits)) {
  let accounted = 0;
  const share = global.join(() => credits.inFlight(accounted));
  const credits = createCredits({ ...limits, maxBytes: 1e9 }, () => 0, share);
  return {
    share,
    inFlight: () => credits.inFlight(accounted),
    tryOne() {
      if (!credits.allow(1, accounted)) return false;
      credits.published(1);
      return true;
    },
    fill() {
      while (this.tryOne());
      return this.inFlight();
    },
    finish(count: number) {
      accounted += Math.min(count, this.inFlight());
    },
  };
}

test("a run alone has its own window, and several share the global one equally", () => {
  const limits = { window: 512, globalWindow: 2048 };
  const global = createGlobalCredits(limits);
  const runs = [openRun(limits, global)];
  assert.equal(runs[0]?.fill(), 512);
  while (runs.length < 8) runs.push(openRun(limits, global));
  // The share of the first has shrunk: it publishes nothing until what it has out comes back.
  assert.equal(runs[0]?.tryOne(), false);
  for (const run of runs.slice(1)) run.fill();
  runs[0]?.finish(512);
  assert.deepEqual(
    runs.map((run) => run.fill()),
    Array(8).fill(256),
  );
});

test("a share grows again when another run is done publishing and its last outcome has come, or when it leaves", () => {
  const limits = { window: 100, globalWindow: 100 };
  const global = createGlobalCredits(limits);
  const [first, second] = [openRun(limits, global), openRun(limits, global)];
  assert.deepEqual([first.fill(), second.fill()], [50, 50]);
  second.share.finished();
  assert.equal(first.fill(), 50, "what it has out still counts");
  second.finish(50);
  assert.equal(first.fill(), 100);
  const third = openRun(limits, global);
  first.finish(100);
  assert.equal(first.fill(), 50);
  third.share.leave();
  assert.equal(first.fill(), 100);
});

test("runs that stand still with all of the window leave the others their smallest share", () => {
  const limits = { window: 512, globalWindow: 1024 };
  const global = createGlobalCredits(limits);
  for (const stuck of [openRun(limits, global), openRun(limits, global)]) stuck.fill();
  const late = openRun(limits, global);
  assert.equal(late.fill(), SMALLEST_SHARE);
});

test("a run whose packager has told nothing since a restart takes no more than its own window from the others", () => {
  const limits = { window: 512, globalWindow: 2048 };
  const global = createGlobalCredits(limits);
  global.join(() => 100_000);
  const other = openRun(limits, global);
  assert.equal(other.fill(), 512);
});

test("without a global window a run has its own", () => {
  const run = openRun({ window: 3 });
  assert.equal(run.fill(), 3);
});

test("a share is within its bounds, and all of them within the window as long as it suffices", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 600 }),
      (all, active, largest) => {
        const smallest = Math.min(SMALLEST_SHARE, largest);
        const share = shareOf(all, active, { smallest, largest });
        assert.ok(share >= smallest && share <= largest);
        assert.ok(share * active <= all || share === smallest);
      },
    ),
  );
});

test("whatever comes, begins and ends in whatever order: the cap holds, no credit is lost, one is always allowed", () => {
  const step = fc.oneof(
    { weight: 1, arbitrary: fc.constant({ kind: "open" } as const) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("publish" as const), run: fc.nat(20), count: fc.nat(80) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("outcomes" as const), run: fc.nat(20), count: fc.nat(80) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), run: fc.nat(20) }) },
  );
  const limits = fc.record({ window: fc.integer({ min: 1, max: 64 }), globalWindow: fc.integer({ min: 1, max: 200 }) });
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 120 }), (bounds, steps) => {
      const { window, globalWindow } = bounds;
      const global = createGlobalCredits(bounds);
      const smallest = Math.min(SMALLEST_SHARE, window);
      let runs = [openRun(bounds, global)];
      for (const one of steps) {
        if (one.kind === "open") runs.push(openRun(bounds, global));
        const run = "run" in one ? runs[one.run % runs.length] : undefined;
        if (run && one.kind === "publish") for (let count = 0; count < one.count && run.tryOne(); count++);
        if (run && one.kind === "outcomes") run.finish(one.count);
        if (run && one.kind === "leave" && runs.length > 1) {
          run.share.leave();
          runs = runs.filter((other) => other !== run);
        }
        const total = runs.reduce((sum, { inFlight }) => sum + inFlight(), 0);
        assert.ok(total <= globalWindow + smallest * runs.length, `${total} are in flight`);
        assert.ok(runs.every(({ inFlight }) => inFlight() <= window));
        for (const idle of runs.filter(({ inFlight }) => inFlight() === 0)) {
          assert.ok(idle.tryOne(), "one is always allowed");
          idle.finish(1);
        }
      }
      // No credit is lost: when all outcomes are there, every run gets its whole share.
      for (const run of runs) run.finish(Number.POSITIVE_INFINITY);
      const share = shareOf(globalWindow, runs.length, { smallest, largest: window });
      for (const run of runs) assert.equal(run.fill(), share);
    }),
  );
});
