import { Fifo } from "./fifo.js";

interface Lane<T> {
  readonly key: string;
  readonly values: Fifo<T>;
}

/**
 * A queue with a lane per key, served round robin: a run of ten assets does not wait behind the hundreds that a large run has queued.
 * Within a key, first in, first out. Every operation takes constant time, and a key costs nothing once its lane is empty.
 */
export class FairQueue<T> {
  private readonly lanes = new Map<string, Lane<T>>();
  /** The lanes that hold something, in the order of their turns. */
  private readonly turns = new Fifo<Lane<T>>();
  size = 0;

  push(key: string, value: T): void {
    this.lane(key).values.push(value);
    this.size++;
  }

  /** In front of the others of its key. */
  unshift(key: string, value: T): void {
    this.lane(key).values.unshift(value);
    this.size++;
  }

  /** What `shift` would return. */
  peek(): T | undefined {
    return this.turns.peek()?.values.peek();
  }

  shift(): T | undefined {
    const lane = this.turns.shift();
    if (lane === undefined) return undefined;
    const value = lane.values.shift();
    this.size--;
    if (lane.values.size > 0) this.turns.push(lane);
    else this.lanes.delete(lane.key);
    return value;
  }

  private lane(key: string): Lane<T> {
    const known = this.lanes.get(key);
    if (known) return known;
    const lane: Lane<T> = { key, values: new Fifo() };
    this.lanes.set(key, lane);
    this.turns.push(lane);
    return lane;
  }
}
