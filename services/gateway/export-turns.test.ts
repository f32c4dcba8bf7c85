import assert from "node:assert/strict";
import { test } from "node:test";
import { createExportTurns } from "./export-turns.js";

const never = new AbortController().signal;

function work() {
  let end = () => {};
  let begun = false;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    end: () => end(),
    begun: () => begun,
    run: async () => {
      begun = true;
      await ended;
    },
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("exports of one project take turns, those of others do not wait for them", async () => {
  const turns = createExportTurns();
  const [first, second, other] = [work(), work(), work()];
  const waited: string[] = [];
  const all = [
    turns.within("p", first.run, never, () => waited.push("first")),
    turns.within("p", second.run, never, () => waited.push("second")),
    turns.within("q", other.run, never, () => waited.push("other")),
  ];
  await turn();
  assert.deepEqual([first.begun(), second.begun(), other.begun()], [true, false, true]);
  assert.deepEqual(waited, ["second"]);
  first.end();
  await turn();
  assert.equal(second.begun(), true);
  second.end();
  other.end();
  await Promise.all(all);
});

test("one that fails, or is given up while it waits, keeps nobody from the project", async () => {
  const turns = createExportTurns();
  const first = work();
  const failing = turns.within(
    "p",
    () => first.run().then(() => Promise.reject(new Error("no"))),
    never,
    () => {},
  );
  const controller = new AbortController();
  const givenUp = turns.within("p", assert.fail, controller.signal, () => {});
  controller.abort(new Error("cancelled"));
  await assert.rejects(givenUp, /cancelled/);
  first.end();
  await assert.rejects(failing, /no/);
  assert.equal(await turns.within("p", async () => 5, never, assert.fail), 5);
});
