import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Outage } from "../runtime/bus/publish-patiently.js";
import { Fatal, Retry } from "../runtime/errors.js";
import { createBell } from "./bell.js";
import { createCredits } from "./credits.js";
import { type ExportRow, type PublishParts, publishAssets } from "./publish-assets.js";

const row = (index: number): ExportRow => ({ index, row: Buffer.from(`{"n":${index}}`) });

const parts = (indexes: readonly number[], changes: Partial<PublishParts>): PublishParts => ({
  envelope: { run: "R", gateway: "G", packager: "P", epoch: 2, round: 1 },
  headers: () => ({}),
  rows: async function* () {
    for (const index of indexes) yield [row(index)];
  },
  publish: () => Promise.resolve(),
  credits: createCredits({ window: 1000, maxBytes: 2 ** 20 }, () => 0),
  accounted: () => 0,
  bell: createBell(),
  onPosition: () => undefined,
  pauses: { tick: 5, firstDelayMs: 1, maxDelayMs: 2 },
  outage: new Outage(() => undefined),
  ...changes,
});

const never = new AbortController().signal;

test("every row becomes a message whose id tells run, epoch, round and index", async () => {
  const ids: string[] = [];
  await publishAssets(parts([0, 1, 7], { publish: async ({ id }) => void ids.push(id) }), never);
  assert.deepEqual(ids, ["R/2.1/0", "R/2.1/1", "R/2.1/7"]);
});

test("in whatever order acknowledgements come, the position is the longest acknowledged prefix", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }), async (delays) => {
      const acknowledged = new Set<number>();
      let position = 0;
      await publishAssets(
        parts([...delays.keys()], {
          publish: async ({ id }) => {
            const index = Number(id.split("/")[2]);
            for (let k = 0; k < (delays[index] ?? 0); k++) await new Promise(setImmediate);
            acknowledged.add(index);
          },
          onPosition: (told) => {
            assert.ok(told > position);
            position = told;
            for (let index = 0; index < told; index++) assert.ok(acknowledged.has(index), `${index} was not acknowledged`);
          },
        }),
        never,
      );
      assert.equal(position, delays.length);
    }),
    { numRuns: 50 },
  );
});

test("a bus that is away is waited for, and nothing behind it is told as published", async () => {
  let tries = 0;
  let told = 0;
  const positions: number[] = [];
  const outage = new Outage(() => void told++);
  await publishAssets(
    parts([0, 1], {
      outage,
      publish: async ({ id }) => {
        if (!id.endsWith("/0")) return;
        assert.equal(outage.reason?.message, tries === 0 ? undefined : "away");
        if (++tries < 4) throw new Retry("away");
      },
      onPosition: (position) => positions.push(position),
    }),
    never,
  );
  assert.equal(tries, 4);
  assert.equal(told, 1);
  assert.equal(outage.reason, undefined);
  assert.deepEqual(positions, [2]);
});

test("a bus that refuses for good stops publishing with its error", async () => {
  const refused = publishAssets(parts([0, 1, 2], { publish: () => Promise.reject(new Fatal("refused")) }), never);
  await assert.rejects(refused, Fatal);
});

test("rows that can not be read stop publishing with that error", async () => {
  const rows = async function* () {
    yield [row(0)];
    throw new Error("the disk is gone");
  };
  await assert.rejects(publishAssets(parts([], { rows }), never), /the disk is gone/);
});

test("aborting ends the wait for credits", async () => {
  const abort = new AbortController();
  const waiting = publishAssets(parts([0, 1], { credits: createCredits({ window: 1, maxBytes: 1000 }, () => 0) }), abort.signal);
  setTimeout(() => abort.abort(new Error("enough")), 10);
  await assert.rejects(waiting, /enough/);
});

test("no more than 64 publishes are under way at once", async () => {
  let open = 0;
  let most = 0;
  const publish = async () => {
    most = Math.max(most, ++open);
    await new Promise(setImmediate);
    open -= 1;
  };
  await publishAssets(parts([...Array(300).keys()], { publish }), never);
  assert.equal(most, 64);
});
