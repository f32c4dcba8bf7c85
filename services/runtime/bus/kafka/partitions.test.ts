import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Taken } from "./backlog.js";
import type { Position } from "./client.js";
import { Partitions, unsettled } from "./partitions.js";

const fresh = (partition: number, change: Partial<Position> = {}): Position => ({
  partition,
  low: 0,
  high: 100,
  committed: undefined,
  note: null,
  ...change,
});

/** What Kafka has after the partition's next commit. */
function committed({ id, progress }: Taken): Position {
  const { offset, note } = progress.commit();
  return fresh(id, { committed: offset, note });
}

function readAll({ progress }: Taken, to: number): void {
  for (let offset = progress.readTo; offset < to; offset++) progress.read(offset);
}

describe("the partitions that were taken", () => {
  it("go on as they were when they are given out anew and nobody else took them", () => {
    const lost: number[] = [];
    const partitions = new Partitions(({ id }) => lost.push(id));
    const [first, second] = partitions.take([0, 1], [fresh(0), fresh(1)]).taken;
    assert.ok(first && second);
    readAll(first, 10);
    partitions.keep([0, 1]);
    const again = partitions.take([0, 1], [committed(first), committed(second)]);
    assert.deepEqual(again.taken, [first, second]);
    assert.deepEqual(again.readOn, [first], "it has been read further than it was committed");
    assert.deepEqual(lost, []);
  });

  it("are others when somebody took them in between, or the topic is another one", () => {
    const lost: Taken[] = [];
    const [ours, theirs] = [new Partitions((partition) => lost.push(partition)), new Partitions(() => undefined)];
    const [first, second] = ours.take([0, 1], [fresh(0), fresh(1)]).taken;
    const [other] = theirs.take([0], [fresh(0)]).taken;
    assert.ok(first && second && other);
    readAll(second, 50);
    const again = ours.take([0, 1], [committed(other), { ...committed(second), high: 20 }]).taken;
    assert.deepEqual(lost, [first, second]);
    assert.ok(lost.every(({ isLost }) => isLost));
    assert.ok(again[0] !== first && again[1] !== second);
  });

  it("that are given to another one are lost at once", () => {
    const lost: number[] = [];
    const partitions = new Partitions(({ id }) => lost.push(id));
    partitions.take([0, 1], [fresh(0), fresh(1)]);
    partitions.keep([1]);
    assert.deepEqual([lost, partitions.all().map(({ id, isLost }) => [id, isLost])], [[0], [[1, false]]]);
  });

  it("begin anew when they have less than was read of them, for their topic was deleted and made anew meanwhile", () => {
    const lost: Taken[] = [];
    const partitions = new Partitions((partition) => lost.push(partition));
    const [old] = partitions.take([0], [fresh(0)]).taken;
    assert.ok(old);
    readAll(old, 50);
    assert.equal(partitions.reading(0, { first: 50, high: 60 }), old, "further messages of the same topic");
    const next = partitions.reading(0, { first: 0, high: 3 });
    assert.deepEqual(lost, [old]);
    assert.ok(
      [0, 1, 2].every((offset) => next?.progress.read(offset)),
      "its messages are news",
    );
    assert.equal(partitions.reading(0, { first: 3, high: 4 }), next);
    assert.equal(partitions.reading(1, { first: 0, high: 1 }), undefined);
  });

  it("begin at the first record that is there when the commit lies below it, or above the end", () => {
    const begin = (position: Position) => new Partitions(() => undefined).take([0], [position]).taken[0]?.progress.readTo;
    assert.equal(begin(fresh(0, { low: 7 })), 7);
    assert.equal(begin(fresh(0, { low: 7, committed: 3 })), 7);
    assert.equal(begin(fresh(0, { committed: 9 })), 9);
    assert.equal(begin(fresh(0, { committed: 500 })), 0);
  });
});

describe("the lag of a partition", () => {
  for (const [title, position, expected] of [
    ["is all of it before the first commit", { low: 40 }, 60],
    ["is what lies behind the commit", { committed: 90 }, 10],
    ["does not count what is finished behind the commit", { committed: 90, note: "maskline1 aa 1,dx4,2" }, 6],
    ["is all of it when the commit is of a topic that is no more", { low: 90, committed: 120 }, 10],
    ["does not count what was deleted", { low: 95, committed: 50, note: "maskline1 aa 1,dx4" }, 5],
  ] as const) {
    it(title, () => assert.equal(unsettled(fresh(0, position)), expected));
  }
});
