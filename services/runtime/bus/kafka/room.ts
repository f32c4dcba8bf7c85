/** How full a queue is, for its publishers: asked now and then, estimated between. Kafka itself takes more until its disk is full. */
import { backoffDelay, waitFor } from "../../backoff.js";
import { unlessAborted } from "../unless-aborted.js";

/** Between two looks whether a full queue has room: a random time up to these. */
const FULL_PAUSES = { firstDelayMs: 20, maxDelayMs: 400 };
/** Looked again after so many messages of our own, or when a part of the room is used up: others publish too. */
const LOOK_AFTER = 16;
const PART = 4;

export interface Room {
  /** Resolves when there is room for one more, which is taken. Rejects as `lag` does, and with the signal's reason when aborted. */
  take(signal: AbortSignal): Promise<void>;
}

/**
 * @param limit messages
 * @param lag how many there are now
 * @param onFull told when somebody waits
 */
export function createRoom(limit: number, lag: () => Promise<number>, onFull: () => void): Room {
  let left = 0;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const room = limit - (await lag());
    left = room <= 0 ? 0 : Math.min(room, Math.max(LOOK_AFTER, Math.floor(room / PART)));
  }

  async function wait(signal: AbortSignal): Promise<void> {
    for (let tries = 1; left === 0; tries += 1) {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      await unlessAborted(looking, signal);
      if (left > 0) return;
      onFull();
      await waitFor(backoffDelay(tries, FULL_PAUSES), signal);
    }
  }

  return {
    async take(signal) {
      while (left === 0) {
        signal.throwIfAborted();
        await wait(signal);
      }
      left -= 1;
    },
  };
}
