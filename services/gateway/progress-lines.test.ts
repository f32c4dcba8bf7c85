import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgressLines } from "./progress-lines.js";

const at = (accounted: number, epoch = 1, echoed = true) => ({ accounted, epoch, echoed });

test("there is a line each time another verbose_frequency assets are done", () => {
  let now = 0;
  const lines = createProgressLines({ total: 100, verboseFrequency: 10 }, false, () => now);
  assert.equal(lines(at(0)), undefined);
  now = 1000;
  assert.equal(lines(at(9)), undefined);
  assert.equal(lines(at(12)), "12 of 100 (12 %), 12/s, about 8 s left");
  assert.equal(lines(at(19)), undefined);
  now = 2000;
  assert.equal(lines(at(45)), "45 of 100 (45 %), 23/s, about 3 s left");
});

test("what was done before a restart is not told again, and is no pace", () => {
  let now = 0;
  const lines = createProgressLines({ total: 100, verboseFrequency: 10 }, true, () => now);
  assert.equal(lines(at(0, 1, false)), undefined);
  assert.equal(lines(at(50)), undefined);
  now = 1000;
  assert.equal(lines(at(60)), "60 of 100 (60 %), 10/s, about 4 s left");
});

test("a new epoch begins anew", () => {
  const lines = createProgressLines({ total: 100, verboseFrequency: 10 }, false, () => 0);
  lines(at(0));
  lines(at(50));
  assert.equal(lines(at(0, 2)), undefined);
  assert.equal(lines(at(10, 2)), "10 of 100 (10 %)");
});
