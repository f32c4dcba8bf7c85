import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { type CellOutcome, Ledger, type Location } from "./ledger.js";

const mask = (index: number, part = 0, parts = 1): CellOutcome => ({ index, part, parts, kind: "mask", why: "", dropped: [] });
const rejected = (index: number, part = 0, parts = 0, why = "failed"): CellOutcome => ({
  index,
  part,
  parts,
  kind: "rejected",
  why,
  dropped: [],
});
const skipped = (index: number): CellOutcome => ({ index, part: 0, parts: 0, kind: "skipped", why: "not_labeled", dropped: [] });
const at = (offset: number): Location => ({ offset, length: 10 });

function ledgerOf(...cells: CellOutcome[]): Ledger {
  const ledger = new Ledger();
  for (const [position, cell] of cells.entries()) ledger.accept(cell, at(position * 10));
  return ledger;
}

test("the first outcome of a cell wins, a repeat changes nothing", () => {
  const ledger = new Ledger();
  assert.equal(ledger.accept(mask(4), at(0)), "recorded");
  assert.equal(ledger.accept(mask(4), at(10)), "duplicate");
  assert.equal(ledger.accept(rejected(4), at(20)), "duplicate");
  assert.deepEqual(ledger.final(4), { kind: "masks", masks: [at(0)] });
  assert.equal(ledger.accounted, 1);
});

test("an asset of several parts is final when all of them are there, and its masks come in part order", () => {
  const ledger = ledgerOf(mask(0, 2, 3), mask(0, 0, 3), mask(0, 0, 3));
  assert.equal(ledger.final(0), undefined);
  assert.equal(ledger.accounted, 0);
  ledger.accept(mask(0, 1, 3), at(70));
  assert.deepEqual(ledger.final(0), { kind: "masks", masks: [at(10), at(70), at(0)] });
  assert.equal(ledger.counts().masks, 3);
  assert.equal(ledger.counts().maskedAssets, 1);
});

test("the masks of many assets are told apart, whatever their number", () => {
  const ledger = new Ledger();
  const partsOf = (index: number) => 2 + (index % 7);
  const count = 3_000;
  for (let index = 0; index < count; index++)
    for (let part = 0; part < partsOf(index); part++)
      ledger.accept(mask(index, part, partsOf(index)), { offset: index * 2 ** 33 + part, length: part + 1 });
  for (let index = 0; index < count; index++)
    assert.deepEqual(ledger.final(index), {
      kind: "masks",
      masks: Array.from({ length: partsOf(index) }, (_, part) => ({ offset: index * 2 ** 33 + part, length: part + 1 })),
    });
});

test("a final asset of two parts takes 13 + 2 x 12 bytes of memory", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const memory = () => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const assets = 200_000;
  const ledger = new Ledger();
  const before = memory();
  for (let index = 0; index < assets; index++) for (const part of [0, 1]) ledger.accept(mask(index, part, 2), at(index));
  const each = (memory() - before) / assets;
  assert.ok(each < 1.3 * 37, `${each} bytes an asset`);
  assert.equal(ledger.accounted, assets);
});

test("an asset is rejected if any of its parts is, with the code of the lowest such part", () => {
  const ledger = ledgerOf(rejected(0, 2, 3, "over_limit"), mask(0, 0, 3), rejected(0, 1, 3, "bad_geometry"));
  assert.deepEqual(ledger.final(0), { kind: "rejected", record: at(20), contradiction: false });
  assert.deepEqual(ledger.counts().rejected, { bad_geometry: 1 });
  assert.equal(ledger.counts().masks, 0);
});

test("an outcome of the whole asset ends one that waits for parts, and later parts are repeats", () => {
  const ledger = ledgerOf(mask(0, 0, 3), rejected(0), mask(0, 1, 3), mask(0, 2, 3));
  assert.deepEqual(ledger.final(0), { kind: "rejected", record: at(10), contradiction: false });
});

test("a differing number of parts rejects the asset", () => {
  const ledger = ledgerOf(mask(0, 0, 3), mask(0, 0, 2));
  assert.deepEqual(ledger.final(0), { kind: "rejected", record: at(10), contradiction: true });
  assert.deepEqual(ledger.counts().rejected, { parts_differ: 1 });
});

test("a part beyond their number is a contradiction too", () => {
  assert.deepEqual(ledgerOf(mask(0, 3, 3)).counts().rejected, { parts_differ: 1 });
});

test("what is final is not rejected by a differing number of parts", () => {
  const ledger = ledgerOf(mask(0), mask(0, 0, 2));
  assert.deepEqual(ledger.final(0), { kind: "masks", masks: [at(0)] });
});

test("objects dropped are counted by kind, of painted assets only", () => {
  const dropped = [{ kind: "bounding-box", count: 3 }];
  const ledger = ledgerOf({ ...mask(0), dropped }, { ...mask(1, 0, 2), dropped }, rejected(1, 1, 2), {
    ...mask(2),
    dropped: [...dropped, { kind: "__proto__", count: 1 }],
  });
  assert.deepEqual(Object.entries(ledger.counts().dropped), [
    ["__proto__", 1],
    ["bounding-box", 6],
  ]);
});

test("kinds without end are counted together beyond a bound", () => {
  const ledger = ledgerOf(
    ...Array.from({ length: 500 }, (_, index) => ({ ...mask(index), dropped: [{ kind: `kind ${index}`, count: 2 }] })),
  );
  const { dropped } = ledger.counts();
  assert.equal(Object.keys(dropped).length, 201);
  assert.equal(
    Object.values(dropped).reduce((sum, count) => sum + count),
    1000,
  );
});

test("missing indexes are told as ascending ranges, as many as asked for", () => {
  const ledger = ledgerOf(mask(0), mask(3), mask(2000), mask(5000, 0, 2));
  assert.deepEqual(ledger.missing(6000, 10), [
    { first: 1, end: 3 },
    { first: 4, end: 2000 },
    { first: 2001, end: 6000 },
  ]);
  assert.deepEqual(ledger.missing(6000, 1), [{ first: 1, end: 3 }]);
  assert.deepEqual(ledger.missing(1, 10), []);
});

test("complete means every index below the total, not as many as the total", () => {
  assert.equal(ledgerOf(mask(0), mask(2)).isComplete(2), false);
  assert.equal(ledgerOf(mask(1), mask(0)).isComplete(2), true);
  assert.equal(new Ledger().isComplete(0), true);
});

test("a stray index far away costs little and completes nothing", () => {
  const ledger = ledgerOf(mask(4_294_967_295), skipped(0));
  assert.equal(ledger.isComplete(1), true);
  assert.equal(ledger.isComplete(2), false);
});

/** Assets whose messages agree with each other: one of 1..4 parts each, every part with one outcome. */
const consistentCells = fc
  .array(fc.array(fc.constantFrom<CellOutcome["kind"]>("mask", "skipped", "rejected"), { minLength: 1, maxLength: 4 }), { maxLength: 12 })
  .map((assets) =>
    assets.flatMap((kinds, index) =>
      kinds.map((kind, part): CellOutcome => {
        const dropped = kind === "mask" ? [{ kind: `tool ${part}`, count: index + 1 }] : [];
        return { index, part, parts: kinds.length, kind, why: kind === "mask" ? "" : `${kind} ${part}`, dropped };
      }),
    ),
  );

/** Locations tell records apart, so a cell's must not depend on when it came. */
const ownLocation = ({ index, part }: CellOutcome): Location => ({ offset: index * 100 + part, length: 1 });

function stateOf(cells: readonly CellOutcome[]) {
  const ledger = new Ledger();
  const log: CellOutcome[] = [];
  for (const cell of cells) if (ledger.accept(cell, ownLocation(cell)) === "recorded") log.push(cell);
  const total = Math.max(-1, ...cells.map(({ index }) => index)) + 1;
  const finals = Array.from({ length: total }, (_, index) => ledger.final(index));
  return { log, state: { finals, counts: ledger.counts(), accounted: ledger.accounted, missing: ledger.missing(total, 100) } };
}

test("any order and any repetition of the same outcomes gives the same ledger", () => {
  const shuffledTwice = consistentCells.chain((cells) =>
    fc.tuple(fc.constant(cells), fc.shuffledSubarray([...cells, ...cells], { minLength: cells.length * 2, maxLength: cells.length * 2 })),
  );
  fc.assert(fc.property(shuffledTwice, ([cells, arrived]) => assert.deepEqual(stateOf(arrived).state, stateOf(cells).state)));
});

test("reading the log again gives the same ledger, whatever contradictions came in", () => {
  const anyCell = fc.record<CellOutcome>({
    index: fc.nat(3),
    part: fc.nat(3),
    parts: fc.nat(3),
    kind: fc.constantFrom("mask", "skipped", "rejected"),
    why: fc.constantFrom("a", "b"),
    dropped: fc.constant([{ kind: "point", count: 1 }]),
  });
  fc.assert(
    fc.property(fc.array(anyCell, { maxLength: 40 }), (cells) => {
      const { log, state } = stateOf(cells);
      assert.deepEqual(stateOf(log).state.counts, state.counts);
      assert.deepEqual(stateOf(log).log, log);
    }),
  );
});

test("what is final never changes", () => {
  const anyCell = fc.record<CellOutcome>({
    index: fc.nat(2),
    part: fc.nat(2),
    parts: fc.nat(3),
    kind: fc.constantFrom("mask", "skipped", "rejected"),
    why: fc.constant("a"),
    dropped: fc.constant([]),
  });
  fc.assert(
    fc.property(fc.array(anyCell, { maxLength: 30 }), (cells) => {
      const ledger = new Ledger();
      const seen = new Map<number, unknown>();
      for (const [position, cell] of cells.entries()) {
        ledger.accept(cell, at(position));
        for (const index of [0, 1, 2]) {
          const final = ledger.final(index);
          if (seen.has(index)) assert.deepEqual(final, seen.get(index));
          else if (final) seen.set(index, final);
        }
      }
    }),
  );
});
