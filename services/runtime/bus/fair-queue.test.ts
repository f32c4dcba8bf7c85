import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairQueue } from "./fair-queue.js";
import { Fifo } from "./fifo.js";

function drain(queue: FairQueue<string>): string[] {
  const all: string[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) all.push(next);
  return all;
}

test("keys take turns, and each key keeps its order", () => {
  const queue = new FairQueue<string>();
  for (const value of ["a1", "a2", "a3", "a4", "b1", "c1", "c2"]) queue.push(value[0] ?? "", value);
  assert.deepEqual(drain(queue), ["a1", "b1", "c1", "a2", "c2", "a3", "a4"]);
});

test("a key that comes late has its turn after one message of every other key", () => {
  const queue = new FairQueue<string>();
  for (let index = 0; index < 1_000; index++) queue.push("large", `large ${index}`);
  queue.push("small", "small 0");
  assert.equal(queue.shift(), "large 0");
  assert.equal(queue.shift(), "small 0");
});

test("what is put in front is the next of its key", () => {
  const queue = new FairQueue<string>();
  queue.push("a", "a2");
  queue.unshift("a", "a1");
  queue.unshift("b", "b1");
  assert.deepEqual(drain(queue), ["a1", "b1", "a2"]);
});

test("whatever is pushed and shifted: peek tells the next one, nothing is lost, every key keeps its order", () => {
  const operation = fc.oneof(fc.constantFrom("a", "b", "c", "d"), fc.constant(undefined));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const queue = new FairQueue<{ key: string; index: number }>();
      const expected = new Map<string, number[]>();
      let size = 0;
      operations.forEach((key, index) => {
        if (key !== undefined) {
          queue.push(key, { key, index });
          expected.set(key, [...(expected.get(key) ?? []), index]);
          size++;
        } else {
          const peeked = queue.peek();
          const shifted = queue.shift();
          assert.equal(peeked, shifted);
          assert.equal(shifted === undefined, size === 0);
          if (shifted) assert.equal(expected.get(shifted.key)?.shift(), shifted.index);
          size = Math.max(0, size - 1);
        }
        assert.equal(queue.size, size);
      });
    }),
  );
});

test("a value can be taken out of the middle, the front or the end of a Fifo", () => {
  for (const removed of [0, 1, 2]) {
    const fifo = new Fifo<number>();
    const nodes = [0, 1, 2].map((value) => fifo.push(value));
    const node = nodes[removed];
    assert.ok(node);
    fifo.remove(node);
    fifo.push(3);
    assert.equal(fifo.size, 3);
    assert.deepEqual(
      [fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()],
      [...[0, 1, 2, 3].filter((value) => value !== removed), undefined],
    );
  }
});
