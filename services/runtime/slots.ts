/** At most so many at once; the others wait their turn, first come, first served. */
export interface Slots {
  /** Resolves to the release of the slot. `onWait` is called when there is none free now. Rejects with the signal's reason when aborted. */
  take(signal: AbortSignal, onWait: () => void): Promise<() => void>;
  /** A slot at once, even above the limit: for what held one before a restart. */
  force(): () => void;
  /** Does the work in a slot of its own. Rejects with the signal's reason when aborted before it begins. */
  within<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createSlots(limit: number): Slots {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    if (taken < limit) waiting.shift()?.();
  };
  const hold = () => {
    taken += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken -= 1;
      next();
    };
  };
  const take: Slots["take"] = async (signal, onWait) => {
    signal.throwIfAborted();
    if (taken < limit && waiting.length === 0) return hold();
    onWait();
    return new Promise((resolve, reject) => {
      const turn = () => {
        signal.removeEventListener("abort", abort);
        resolve(hold());
        next();
      };
      const abort = () => {
        waiting.splice(waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      waiting.push(turn);
      signal.addEventListener("abort", abort, { once: true });
    });
  };
  return {
    take,
    force: hold,
    async within(work, signal) {
      const release = await take(signal, () => undefined);
      try {
        signal.throwIfAborted();
        return await work();
      } finally {
        release();
      }
    },
  };
}
