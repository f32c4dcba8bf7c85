import assert from "node:assert/strict";
import { test } from "node:test";
import { createSlots } from "./slots.js";

const never = new AbortController().signal;
const quietly = () => undefined;

test("who comes when all slots are taken is told, and waits in line", async () => {
  const slots = createSlots(1);
  const release = await slots.take(never, () => assert.fail("there was a slot"));
  const order: string[] = [];
  const wait = (name: string) =>
    slots
      .take(never, () => order.push(`${name} waits`))
      .then((releaseNext) => {
        order.push(`${name} runs`);
        releaseNext();
      });
  const both = [wait("a"), wait("b")];
  release();
  release();
  await Promise.all(both);
  assert.deepEqual(order, ["a waits", "b waits", "a runs", "b runs"]);
});

test("who gives up in line takes no slot", async () => {
  const slots = createSlots(1);
  const release = await slots.take(never, quietly);
  const abort = new AbortController();
  const gone = slots.take(abort.signal, quietly);
  abort.abort(new Error("gone"));
  await assert.rejects(gone, /gone/);
  release();
  await slots.take(never, () => assert.fail("there was a slot"));
});

test("runs that were open before a restart are above the limit, and the next one waits for them", async () => {
  const slots = createSlots(1);
  const releases = [slots.force(), slots.force()];
  let waited = false;
  const turn = slots.take(never, () => {
    waited = true;
  });
  for (const release of releases) release();
  await turn;
  assert.ok(waited);
});

test("work in a slot gives it back, also when it fails, and does not begin once its signal is aborted", async () => {
  const slots = createSlots(1);
  await assert.rejects(
    slots.within(() => Promise.reject(new Error("the work failed")), never),
    /the work failed/,
  );
  const abort = new AbortController();
  let release: () => void = () => undefined;
  const first = slots.within(
    () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    never,
  );
  const second = slots.within(() => assert.fail("it was aborted in line"), abort.signal);
  abort.abort(new Error("gone"));
  await assert.rejects(second, /gone/);
  release();
  await first;
  assert.equal(await slots.within(async () => "ran", never), "ran");
});
