import assert from "node:assert/strict";
import { test } from "node:test";
import { createBell } from "./bell.js";
import { missingRanges } from "./missing-rows.js";
import type { MissingIndexes } from "./run-progress.js";

const never = new AbortController().signal;

/** A packager that answers each question with the next of `answers`. */
function questioned(answers: readonly Omit<MissingIndexes, "round">[], position = 0) {
  const bell = createBell();
  let told: MissingIndexes | undefined;
  let asked = 0;
  const ask = () => {
    const answer = answers[asked++];
    if (!answer) assert.fail("asked too often");
    setImmediate(() => {
      told = { round: 1, ...answer };
      bell.ring();
    });
  };
  return missingRanges({ position, ask, told: () => told, accounted: () => asked, bell, tick: 5 }, never);
}

async function collect(ranges: AsyncGenerator<readonly { first: number; end: number }[]>): Promise<string[]> {
  const all: string[] = [];
  for await (const some of ranges) all.push(some.map(({ first, end }) => `${first}-${end}`).join(" "));
  return all;
}

test("a packager that tells all at once is asked once", async () => {
  const ranges = questioned([{ ranges: [{ first: 1, end: 3 }], complete: true }]);
  assert.deepEqual(await collect(ranges), ["1-3"]);
});

test("a packager that tells the first ranges only is asked until it has told all, and no index comes twice", async () => {
  const ranges = questioned([
    { ranges: [{ first: 1, end: 3 }], complete: false },
    // 2 is still under way, the rest of this answer is new.
    { ranges: [{ first: 2, end: 5 }], complete: false },
    { ranges: [{ first: 9, end: 10 }], complete: true },
  ]);
  assert.deepEqual(await collect(ranges), ["1-3", "3-5", "9-10"]);
});

test("a round that goes on after a restart leaves out what it has published before", async () => {
  const ranges = questioned(
    [
      {
        ranges: [
          { first: 0, end: 4 },
          { first: 6, end: 8 },
        ],
        complete: true,
      },
    ],
    3,
  );
  assert.deepEqual(await collect(ranges), ["3-4 6-8"]);
});

test("when nothing is missing nothing is published", async () => {
  assert.deepEqual(await collect(questioned([{ ranges: [], complete: true }])), []);
});

test("what was told before the round began to publish is taken, without another question", async () => {
  const told: MissingIndexes = { round: 1, ranges: [{ first: 1, end: 3 }], complete: true };
  const ask = () => assert.fail("asked again");
  const ranges = missingRanges({ position: 0, ask, told: () => told, accounted: () => 0, bell: createBell(), tick: 5 }, never);
  assert.deepEqual(await collect(ranges), ["1-3"]);
});
