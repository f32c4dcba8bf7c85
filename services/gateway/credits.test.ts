import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCredits, inFlight } from "./credits.js";

test("assets that were accounted for before a restart published them again are no debt", () => {
  assert.equal(inFlight(3, 10), 0);
  assert.equal(inFlight(10, 3), 7);
});

test("no more than the window is in flight", () => {
  const credits = createCredits({ window: 2, maxBytes: 1000 }, () => 0);
  assert.ok(credits.allow(1, 0));
  credits.published(1);
  assert.ok(credits.allow(1, 0));
  credits.published(1);
  assert.ok(!credits.allow(1, 0));
  assert.ok(credits.allow(1, 1));
});

test("what was in flight before a restart still counts", () => {
  const credits = createCredits({ window: 4, maxBytes: 1000 }, () => 10);
  assert.ok(!credits.allow(1, 6));
  assert.ok(credits.allow(1, 7));
});

test("a row larger than the byte cap is allowed when nothing else is in flight", () => {
  const credits = createCredits({ window: 8, maxBytes: 10 }, () => 0);
  assert.ok(credits.allow(99, 0));
  credits.published(99);
  assert.ok(!credits.allow(1, 0));
  assert.ok(credits.allow(1, 1));
});

test("whatever the sizes and the outcomes, window and byte cap hold and one is always allowed", () => {
  const limits = { window: 5, maxBytes: 50 };
  fc.assert(
    fc.property(fc.array(fc.record({ bytes: fc.nat(80), finish: fc.nat(3) }), { maxLength: 60 }), (steps) => {
      const credits = createCredits(limits, () => 0);
      const open: number[] = [];
      let accounted = 0;
      for (const { bytes, finish } of steps) {
        const finished = open.splice(0, finish).length;
        accounted += finished;
        const allowed = credits.allow(bytes, accounted);
        if (open.length === 0) assert.ok(allowed);
        if (!allowed) continue;
        credits.published(bytes);
        open.push(bytes);
        assert.ok(open.length <= limits.window);
        assert.ok(open.length === 1 || open.reduce((sum, size) => sum + size, 0) <= limits.maxBytes);
      }
    }),
  );
});
