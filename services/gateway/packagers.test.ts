import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { IdTaken } from "../runtime/gateway-calls.js";
import { createPackagers, type Packagers } from "./packagers.js";

const IN_SYNC = 10;
let now = 0;
let packagers: Packagers;
beforeEach(() => {
  now = 0;
  packagers = createPackagers({ now: () => now, inSync: IN_SYNC });
});

const chosen = (openRuns: Readonly<Record<string, number>> = {}, except?: string) =>
  packagers.choose((packager) => openRuns[packager] ?? 0, except)?.packager;

test("the next run goes to whoever has the fewest, those of other gateways included", () => {
  assert.equal(chosen(), undefined);
  packagers.heard("p1", "L1", 0);
  packagers.heard("p2", "L2", 0);
  assert.equal(chosen(), "p1");
  assert.equal(chosen({ p1: 1 }), "p2");
  packagers.heard("p2", "L2", 2);
  assert.equal(chosen({ p1: 1 }), "p1");
  assert.equal(chosen({ p1: 1 }, "p1"), "p2");
});

test("who was not heard lately gets none", () => {
  packagers.heard("p1", "L1", 0);
  now += IN_SYNC + 1;
  assert.equal(chosen(), undefined);
  assert.ok(!packagers.inSync("p1"));
});

test("a packager that lost its volume is taken with its new one at once", () => {
  packagers.heard("p1", "old", 0);
  packagers.heard("p1", "new", 0);
  assert.equal(packagers.seen("p1")?.ledgerId, "new");
  packagers.heard("p1", "newer", 0);
  assert.equal(packagers.seen("p1")?.ledgerId, "newer");
});

test("a volume that comes back while its successor is there is another packager's, and refused", () => {
  packagers.heard("p1", "first", 0);
  packagers.heard("p1", "second", 0);
  assert.throws(() => packagers.heard("p1", "first", 0), IdTaken);
  assert.equal(packagers.seen("p1")?.ledgerId, "second");
  // It was the right one after all: an operator had mounted an empty volume in its place.
  now += IN_SYNC + 1;
  packagers.heard("p1", "first", 0);
  assert.equal(packagers.seen("p1")?.ledgerId, "first");
  assert.throws(() => packagers.heard("p1", "second", 0), IdTaken);
  packagers.heard("p2", "second", 0);
});
