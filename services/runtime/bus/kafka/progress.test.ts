import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeNote } from "./note.js";
import { Progress } from "./progress.js";

/** As Kafka has it after a commit. */
function keep(progress: Progress) {
  const { offset, note, onKept } = progress.commit();
  onKept();
  return { offset, stretches: decodeNote(note)?.stretches };
}

function read(progress: Progress, offsets: readonly number[]): void {
  for (const offset of offsets) progress.read(offset);
}

describe("the progress of a partition", () => {
  it("commits the lowest unfinished offset, and tells what is finished behind it", () => {
    const progress = new Progress(10, "aa");
    read(progress, [10, 11, 12, 13]);
    progress.finish(12);
    assert.deepEqual(keep(progress), {
      offset: 10,
      stretches: [
        { fate: 0, length: 2 },
        { fate: "done", length: 1 },
      ],
    });
    progress.finish(10);
    progress.finish(11);
    assert.deepEqual(keep(progress), { offset: 13, stretches: [] });
    progress.finish(13);
    assert.deepEqual(keep(progress), { offset: 14, stretches: [] });
  });

  it("lets a message be delivered only when Kafka has it that it was", () => {
    const progress = new Progress(0, "aa");
    read(progress, [0, 1]);
    progress.announce(0);
    assert.equal(progress.isCovered(0), false);
    assert.deepEqual(keep(progress), { offset: 0, stretches: [{ fate: 1, length: 1 }] });
    assert.deepEqual([progress.isCovered(0), progress.isCovered(1)], [true, false]);
    assert.equal(progress.deliver(0), 1);
    assert.equal(progress.isCovered(0), false, "the second delivery is told before it is made as well");
  });

  it("goes on where another taker ended: finished messages are not read again, the others with their counts", () => {
    const [first, announced] = [new Progress(0, "aa"), 3];
    read(first, [0, 1, 2, 3, 4]);
    first.announce(0);
    first.announce(announced);
    keep(first);
    assert.equal(first.deliver(0), 1);
    first.finish(1);
    const { offset, note } = first.commit();

    const second = new Progress(offset, "bb", decodeNote(note)?.stretches);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((each) => second.read(each)),
      [true, false, true, true, true],
    );
    for (const each of [0, 2, announced]) second.announce(each);
    keep(second);
    // The first one may have been killed while it delivered what it had announced.
    assert.deepEqual([second.deliver(0), second.deliver(2), second.deliver(announced)], [2, 1, 2]);
  });

  it("takes back what was announced and not delivered", () => {
    const progress = new Progress(0, "aa");
    read(progress, [0, 1]);
    progress.announce(0);
    progress.announce(1);
    keep(progress);
    progress.deliver(0);
    progress.withdraw(1);
    assert.deepEqual(keep(progress).stretches, [{ fate: 1, length: 1 }]);
    assert.equal(progress.isCovered(1), false);
  });

  it("takes no message twice, and what the broker deleted for finished", () => {
    const progress = new Progress(5, "aa", [{ fate: 2, length: 3 }]);
    assert.equal(progress.base, 5);
    assert.equal(progress.read(7), true);
    assert.equal(progress.read(7), false);
    assert.equal(progress.read(6), false);
    assert.equal(progress.base, 7);
    assert.equal(progress.read(20), true);
    assert.deepEqual(keep(progress).stretches, [
      { fate: 2, length: 1 },
      { fate: "done", length: 12 },
    ]);
    progress.skip(21);
    assert.deepEqual([progress.base, progress.readTo], [7, 21]);
  });

  it("keeps its note within what brokers take, and forgets the end rather than the beginning", () => {
    const progress = new Progress(0, "aa");
    for (let offset = 0; offset < 5_000; offset++) {
      progress.read(offset);
      progress.announce(offset);
      if (offset % 2 === 1) progress.finish(offset);
    }
    const { note } = progress.commit();
    assert.ok(note.length <= 4_096, `${note.length} characters`);
    assert.deepEqual(decodeNote(note)?.stretches.slice(0, 3), [
      { fate: 1, length: 1 },
      { fate: "done", length: 1 },
      { fate: 1, length: 1 },
    ]);
  });
});
