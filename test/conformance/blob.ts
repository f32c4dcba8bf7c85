/** The conformance suite of the blob port (services/runtime/blob/blob.ts): what every adapter promises, one behaviour a test. */
import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import type { Blobs } from "../../services/runtime/blob/blob.js";
import { type Behaviour, runBehaviours } from "./behaviours.js";
import type { Exception } from "./exceptions.js";

export interface BlobsFixture {
  readonly blobs: Blobs;
  /** A further client of the same store, as another process would have it. */
  another(): Promise<Blobs>;
  dispose(): Promise<void>;
}

export function blobConformance(name: string, makeBlobs: () => Promise<BlobsFixture>, exceptions: readonly Exception[], atOnce = 1): void {
  runBehaviours(name, behaviours, makeBlobs, exceptions, atOnce);
}

/** A store may be shared with other tests. */
function newRun(): string {
  return `run-${randomUUID()}`;
}

async function assertHolds(blobs: Blobs, key: string, body: Uint8Array): Promise<void> {
  const found = await blobs.get(key);
  assert.ok(found, `${key} is missing`);
  assert.ok(Buffer.from(found).equals(body), `${key} has another body`);
}

/** The clocks of two machines may differ by so much. */
const CLOCK_MS = 60_000;

const behaviours: readonly Behaviour<BlobsFixture>[] = [
  {
    title: "what was put is there for every client: empty, binary, and of 3 MB",
    run: async ({ blobs, another }) => {
      const run = newRun();
      const bodies = [new Uint8Array(0), Buffer.from([0, 255, 10, 13, 0]), randomBytes(3_000_000)];
      const other = await another();
      for (const [index, body] of bodies.entries()) {
        await blobs.put(`${run}/1.0/${index}`, body);
        await assertHolds(blobs, `${run}/1.0/${index}`, body);
        await assertHolds(other, `${run}/1.0/${index}`, body);
      }
    },
  },
  {
    title: "a part of a larger buffer is put, not the whole",
    run: async ({ blobs }) => {
      const run = newRun();
      const whole = Buffer.from("before|the body|after");
      await blobs.put(`${run}/a`, whole.subarray(7, 15));
      await assertHolds(blobs, `${run}/a`, Buffer.from("the body"));
    },
  },
  {
    title: "what is not there is undefined: no such key, no such run",
    run: async ({ blobs }) => {
      const run = newRun();
      assert.equal(await blobs.get(`${run}/1`), undefined);
      await blobs.put(`${run}/1`, Buffer.from("x"));
      assert.equal(await blobs.get(`${run}/2`), undefined);
      assert.equal(await blobs.get(`${run}/1/p0`), undefined);
    },
  },
  {
    title: "a key may continue another one, in either order",
    run: async ({ blobs }) => {
      const run = newRun();
      const keys = ["1.0/1", "1.0/1/p0", "1.0/1/p0/m", "1.0/2/p0/m", "1.0/2/p0", "1.0/2"].map((rest) => `${run}/${rest}`);
      for (const key of keys) await blobs.put(key, Buffer.from(key));
      for (const key of keys) await assertHolds(blobs, key, Buffer.from(key));
    },
  },
  {
    title: "keys that look alike are different blobs, long ones too",
    run: async ({ blobs }) => {
      const run = newRun();
      const long = "s".repeat(150);
      const rests = ["a/b", "a.b", "a-b", "a_b", "a...b", "A/b", ".a", "..a", `${long}/${long}/1`, `${long}/${long}/2`];
      const keys = rests.map((rest) => `${run}/${rest}`);
      for (const key of keys) await blobs.put(key, Buffer.from(key));
      for (const key of keys) await assertHolds(blobs, key, Buffer.from(key));
    },
  },
  {
    title: "putting again replaces the blob whole: a reader sees the old or the new, never a part",
    run: async ({ blobs, another }) => {
      const key = `${newRun()}/1`;
      const bodies = [Buffer.alloc(300_000, 1), Buffer.alloc(500_000, 2), Buffer.alloc(100, 3)];
      await blobs.put(key, bodies[0] ?? Buffer.alloc(0));
      const reader = await another();
      let writing = true;
      const writers = Promise.all(
        bodies.map(async (body) => {
          for (let round = 0; round < 10; round++) await blobs.put(key, body);
        }),
      ).finally(() => {
        writing = false;
      });
      while (writing) {
        const found = await reader.get(key);
        assert.ok(found && bodies.some((body) => body.equals(Buffer.from(found))), `a part of ${found?.byteLength} bytes`);
      }
      await writers;
    },
  },
  {
    title: "what is no key is refused with a TypeError",
    run: async ({ blobs }) => {
      const wrong = [
        "",
        "a",
        "a/",
        "/a",
        "a//b",
        "./a",
        "../a",
        "a/..",
        "a/.",
        "a/../b",
        "a/b c",
        "a\\b/c",
        "a/ä",
        "a/b\0",
        "a/~b",
        "a/b\n",
        "~tmp/a",
      ];
      for (const key of wrong) {
        await assert.rejects(blobs.put(key, Buffer.from("x")), TypeError, JSON.stringify(key));
        await assert.rejects(blobs.get(key), TypeError, JSON.stringify(key));
      }
      for (const run of ["", ".", "..", "a/b", "a b", "~tmp", "*"])
        await assert.rejects(blobs.deleteRun(run), TypeError, JSON.stringify(run));
    },
  },
  {
    title: "deleteRun deletes all blobs of that run and no other's; none there is fine",
    run: async ({ blobs, another }) => {
      const run = newRun();
      const longer = `${run}x`;
      for (const rest of ["1", "1/p0", "2.0/5/p1/m"]) {
        await blobs.put(`${run}/${rest}`, Buffer.from(rest));
        await blobs.put(`${longer}/${rest}`, Buffer.from(rest));
      }
      await (await another()).deleteRun(run);
      for (const rest of ["1", "1/p0", "2.0/5/p1/m"]) {
        assert.equal(await blobs.get(`${run}/${rest}`), undefined);
        await assertHolds(blobs, `${longer}/${rest}`, Buffer.from(rest));
      }
      await blobs.deleteRun(run);
      await blobs.put(`${run}/1`, Buffer.from("again"));
      await assertHolds(blobs, `${run}/1`, Buffer.from("again"));
    },
  },
  {
    title: "a run may be written to while it is deleted: every put is kept or deleted, none fails",
    run: async ({ blobs }) => {
      const run = newRun();
      const puts = Array.from({ length: 40 }, (_, index) => blobs.put(`${run}/${index}`, Buffer.from("x")));
      await Promise.all([blobs.deleteRun(run), ...puts, blobs.deleteRun(run)]);
      await blobs.deleteRun(run);
      for (let index = 0; index < 40; index++) assert.equal(await blobs.get(`${run}/${index}`), undefined);
    },
  },
  {
    title: "listRuns tells every run that has blobs, with the time of its youngest one",
    run: async ({ blobs, another }) => {
      const [first, second] = [newRun(), newRun()];
      const startedMs = Date.now();
      await blobs.put(`${first}/1`, Buffer.from("x"));
      await blobs.put(`${second}/1/p0`, Buffer.from("x"));
      await blobs.put(`${second}/2`, Buffer.from("x"));
      const listed = await (await another()).listRuns();
      for (const run of [first, second]) {
        const entries = listed.filter((entry) => entry.run === run);
        assert.equal(entries.length, 1);
        const youngestMs = entries[0]?.youngestMs ?? 0;
        assert.ok(youngestMs > startedMs - CLOCK_MS && youngestMs < Date.now() + CLOCK_MS);
      }
      await blobs.deleteRun(first);
      const left = (await blobs.listRuns()).map(({ run }) => run);
      assert.ok(!left.includes(first) && left.includes(second));
    },
  },
];
