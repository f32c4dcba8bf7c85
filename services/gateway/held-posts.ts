/** Hub's POSTs that are answered when their session has ended. Several may wait for one session: Hub may send it again. */
export interface HeldPost {
  /** Resolves when the session has ended. */
  readonly released: Promise<void>;
  /** It is not waited for any more. */
  letGo(): void;
}

export interface HeldPosts {
  hold(session: string): HeldPost;
  release(session: string): void;
  releaseAll(): void;
}

export function createHeldPosts(): HeldPosts {
  const waiting = new Map<string, Set<() => void>>();
  const release = (session: string) => {
    for (const resolve of waiting.get(session) ?? []) resolve();
    waiting.delete(session);
  };
  return {
    release,
    hold(session) {
      const others = waiting.get(session) ?? new Set();
      waiting.set(session, others);
      let resolve = () => {};
      const released = new Promise<void>((end) => {
        resolve = end;
      });
      others.add(resolve);
      return {
        released,
        letGo() {
          others.delete(resolve);
          if (others.size === 0 && waiting.get(session) === others) waiting.delete(session);
        },
      };
    },
    releaseAll: () => [...waiting.keys()].forEach(release),
  };
}
