/** At most `count` tasks at once; the others wait in order. A task whose signal was aborted when its turn comes rejects with its reason. */
export function createSlots(count: number): <T>(task: () => Promise<T>, signal: AbortSignal) => Promise<T> {
  const queue: (() => void)[] = [];
  let free = count;
  return async (task, signal) => {
    if (free === 0) await new Promise<void>((resolve) => queue.push(resolve));
    else free -= 1;
    try {
      signal.throwIfAborted();
      return await task();
    } finally {
      const next = queue.shift();
      if (next) next();
      else free += 1;
    }
  };
}
