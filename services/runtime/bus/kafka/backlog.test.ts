import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Backlog, type Read, type Taken } from "./backlog.js";
import { Progress } from "./progress.js";

const MAX_NEXT = 8;
const always = () => true;

function partition(): Taken {
  return { id: 0, progress: new Progress(0, "aa"), isLost: false, committed: undefined };
}

/** Reads messages of a run that come next in the partition. */
function add(backlog: Backlog, from: Taken, run: string, count: number): void {
  for (let more = 0; more < count; more++) {
    const offset = from.progress.readTo;
    from.progress.read(offset);
    backlog.add({ from, offset, message: { queue: "q", key: run, id: `${run}${offset}`, headers: {}, body: new Uint8Array(1) } });
  }
}

/** Kafka has a commit. */
function tell(from: Taken): void {
  from.progress.commit().onKept();
}

/** The runs of what is delivered next. */
function deliver(backlog: Backlog, count: number): string {
  let runs = "";
  for (let more = 0; more < count; more++) {
    const read = backlog.shift(always);
    if (!read) break;
    read.from.progress.deliver(read.offset);
    runs += read.message.key;
  }
  return runs;
}

describe("what was read and is not delivered", () => {
  it("is delivered only after Kafka was told, some messages ahead", () => {
    const [from, backlog] = [partition(), new Backlog(MAX_NEXT, () => undefined)];
    add(backlog, from, "a", 20);
    assert.equal(backlog.announce().has(from), true);
    assert.equal(deliver(backlog, 20), "");
    assert.equal(backlog.isUntold, true, "a delivery waits");
    tell(from);
    assert.equal(backlog.isUntold, false);
    assert.equal(deliver(backlog, 20), "a".repeat(MAX_NEXT));
    backlog.announce();
    assert.equal(backlog.isUntold, true);
  });

  it("is told while what was told before is delivered, so that none waits for it", () => {
    const [from, backlog] = [partition(), new Backlog(MAX_NEXT, () => undefined)];
    add(backlog, from, "a", 20);
    backlog.announce();
    tell(from);
    deliver(backlog, 3);
    assert.equal(backlog.announce().has(from), true);
    assert.equal(backlog.isUntold, false, "five are left that Kafka knows of");
    tell(from);
    assert.equal(deliver(backlog, 20), "a".repeat(MAX_NEXT));
  });

  it("is delivered with runs taking turns, a new one before what a large one has announced", () => {
    const [from, backlog] = [partition(), new Backlog(MAX_NEXT, () => undefined)];
    add(backlog, from, "a", 100);
    backlog.announce();
    tell(from);
    add(backlog, from, "b", 3);
    assert.equal(backlog.announce().has(from), true);
    assert.equal(deliver(backlog, 1), "a", "what Kafka knows of does not wait for the other run");
    assert.equal(backlog.isUntold, true);
    tell(from);
    assert.equal(deliver(backlog, 8), "bababaaa");
  });

  it("stays where there is no room for it", () => {
    const [from, backlog] = [partition(), new Backlog(MAX_NEXT, () => undefined)];
    add(backlog, from, "a", 2);
    backlog.announce();
    tell(from);
    assert.equal(
      backlog.shift(() => false),
      undefined,
    );
    assert.equal(deliver(backlog, 2), "aa");
  });

  it("is told anew when it was withdrawn, in its order", () => {
    const [from, backlog] = [partition(), new Backlog(MAX_NEXT, () => undefined)];
    add(backlog, from, "a", 4);
    backlog.announce();
    tell(from);
    backlog.withdraw();
    tell(from);
    assert.equal(backlog.shift(always), undefined);
    backlog.announce();
    tell(from);
    const reads: (Read | undefined)[] = [1, 2, 3, 4].map(() => backlog.shift(always));
    assert.deepEqual(
      reads.map((read) => read?.offset),
      [0, 1, 2, 3],
    );
  });

  it("is dropped when its partition is lost", () => {
    const [lost, kept, backlog] = [partition(), partition(), new Backlog(MAX_NEXT, () => undefined)];
    add(backlog, lost, "a", 2);
    backlog.announce();
    tell(lost);
    add(backlog, lost, "a", 2);
    add(backlog, kept, "b", 1);
    lost.isLost = true;
    backlog.announce();
    tell(kept);
    assert.equal(deliver(backlog, 5), "b");
    assert.equal(backlog.isUntold, false);
  });
});
