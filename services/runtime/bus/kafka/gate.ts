/** Something that may be waited for, again and again. */
export interface Gate {
  /** Resolves as soon as it is open. */
  readonly opened: Promise<void>;
  open(): void;
  close(): void;
}

/** A gate that is closed. */
export function createGate(): Gate {
  let resolve: (() => void) | undefined;
  let opened = new Promise<void>((done) => {
    resolve = done;
  });
  return {
    get opened() {
      return opened;
    },
    open() {
      resolve?.();
      resolve = undefined;
    },
    close() {
      if (resolve) return;
      opened = new Promise<void>((done) => {
        resolve = done;
      });
    },
  };
}
