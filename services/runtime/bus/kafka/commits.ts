/** Commits for one member after the other, one at a time: whatever comes within some milliseconds goes together in the next. */
import { setTimeout as sleep } from "node:timers/promises";
import { Retry } from "../../errors.js";
import { inTime } from "../../in-time.js";
import type { Taken } from "./backlog.js";
import { createGate } from "./gate.js";
import type { PartitionCommit } from "./member.js";

const PAUSE_AFTER_FAILURE_MS = 100;
/** From one commit to the next that nothing waits for: a process that dies leaves no more than this to be done again. */
const COMMIT_EVERY_MS = 40;

interface Waiting {
  readonly on: Taken;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

export class Commits {
  readonly #changed = new Set<Taken>();
  #waiting: Waiting[] = [];
  #send: ((commits: readonly PartitionCommit[]) => Promise<void>) | undefined;
  #running: Promise<void> | undefined;
  #ended: Error | undefined;
  /** Open when the next commit must not wait. */
  #urgent = createGate();
  #sentAt = Number.NEGATIVE_INFINITY;

  /** @param onKept called when Kafka has one */
  constructor(private readonly onKept: () => void) {}

  /** Commits go this way from now on; undefined: they wait. */
  use(send: ((commits: readonly PartitionCommit[]) => Promise<void>) | undefined): void {
    this.#send = send;
    this.#run();
  }

  /** The partition's progress is to be committed. */
  changed(partition: Taken): void {
    if (partition.isLost) return;
    this.#changed.add(partition);
    this.#run();
  }

  /** A delivery waits for what has changed. */
  hurry(): void {
    if (this.#changed.size > 0) this.#urgent.open();
  }

  /** Resolves when Kafka knows of all that has changed in the partition. @throws Retry when it can not be told any more */
  kept(partition: Taken): Promise<void> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ on: partition, resolve, reject });
      this.changed(partition);
    });
  }

  /** The partition is not ours any more. */
  lost(partition: Taken): void {
    this.#changed.delete(partition);
    const isOfIt = ({ on }: Waiting) => on === partition;
    for (const { reject } of this.#waiting.filter(isOfIt)) {
      reject(goneError());
    }
    this.#waiting = this.#waiting.filter((waiting) => !isOfIt(waiting));
  }

  /** Resolves when there is nothing left to commit, or it can not be now. */
  async idle(): Promise<void> {
    while (this.#send && this.#changed.size > 0) {
      this.hurry();
      await this.#running;
    }
    await this.#running;
  }

  /** Whoever waits is told not to. */
  end(reason: Error): void {
    this.#ended = reason;
    this.#send = undefined;
    this.#changed.clear();
    for (const { reject } of this.#waiting) reject(reason);
    this.#waiting = [];
  }

  #run(): void {
    this.#running ??= this.#commitAll().finally(() => {
      this.#running = undefined;
      if (this.#send && this.#changed.size > 0) this.#run();
    });
  }

  async #commitAll(): Promise<void> {
    // What changes in the same turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#send && this.#changed.size > 0) {
      const leftMs = this.#sentAt + COMMIT_EVERY_MS - performance.now();
      if (leftMs > 0) await inTime(this.#urgent.opened, leftMs);
      this.#urgent = createGate();
      const send = this.#send;
      if (!send || this.#changed.size === 0) continue;
      this.#sentAt = performance.now();
      const partitions = [...this.#changed];
      const waiting = this.#waiting;
      this.#changed.clear();
      this.#waiting = [];
      const commits = partitions.map(({ id, progress }) => ({ partition: id, ...progress.commit() }));
      try {
        await send(commits);
      } catch {
        for (const partition of partitions) if (!partition.isLost) this.#changed.add(partition);
        for (const one of waiting) {
          const reason = one.on.isLost ? goneError() : this.#ended;
          if (reason) one.reject(reason);
          else this.#waiting.push(one);
        }
        await sleep(PAUSE_AFTER_FAILURE_MS);
        continue;
      }
      for (const { onKept } of commits) onKept();
      for (const [index, partition] of partitions.entries()) partition.committed = commits[index]?.offset;
      for (const { resolve } of waiting) resolve();
      this.onKept();
    }
  }
}

function goneError(): Retry {
  return new Retry("the partition has gone to another process, which delivers its messages again");
}
