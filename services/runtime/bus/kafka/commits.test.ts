import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Taken } from "./backlog.js";
import { Commits } from "./commits.js";
import { Progress } from "./progress.js";

function partition(id: number): Taken {
  return { id, progress: new Progress(0, "aa"), isLost: false, committed: undefined };
}

/** Commits, and how many partitions each of them tells of. */
function collecting() {
  const sent: number[] = [];
  const commits = new Commits(() => undefined);
  commits.use(async (partitions) => {
    sent.push(partitions.length);
  });
  return { commits, sent };
}

describe("commits", () => {
  // Elsewhere a connection keeps the process.
  let alive: NodeJS.Timeout;
  before(() => {
    alive = setInterval(() => undefined, 1_000);
  });
  after(() => clearInterval(alive));

  it("tell of all that has changed shortly after another one at once", async () => {
    const { commits, sent } = collecting();
    const [first, second] = [partition(1), partition(2)];
    await commits.kept(first);
    const kept = [commits.kept(first)];
    await sleep(5);
    kept.push(commits.kept(second));
    await sleep(5);
    kept.push(commits.kept(first));
    await Promise.all(kept);
    assert.deepEqual(sent, [1, 2]);
    commits.end(new Error("over"));
  });

  it("are made at once when a delivery waits, or the member leaves", async () => {
    const { commits, sent } = collecting();
    await commits.kept(partition(1));
    const startedAt = performance.now();
    for (let times = 0; times < 20; times++) {
      const kept = commits.kept(partition(1));
      commits.hurry();
      await kept;
    }
    for (let times = 0; times < 20; times++) {
      commits.changed(partition(1));
      await commits.idle();
    }
    assert.equal(sent.length, 41);
    assert.ok(performance.now() - startedAt < 1_000, "40 that waited for each other's time would take 1.6 s");
    commits.end(new Error("over"));
  });
});
