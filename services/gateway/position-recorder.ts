/** Records how far a round is published, seldom enough not to wear the disk: never ahead of the broker (docs/delivery.md rule 4). */
export interface PositionRecorder {
  /** The broker has acknowledged everything before `position`. */
  acknowledged(position: number): void;
  /** Resolves when the last position told is recorded; rejects when one could not be. */
  flush(): Promise<void>;
}

export function createPositionRecorder(save: (position: number) => Promise<void>, everyMs: number): PositionRecorder {
  let latest = 0;
  let saved = 0;
  let timer: NodeJS.Timeout | undefined;
  let saving = Promise.resolve();
  const saveNow = () => {
    clearTimeout(timer);
    timer = undefined;
    saving = saving.then(async () => {
      const position = latest;
      if (position === saved) return;
      await save(position);
      saved = position;
    });
    // A failure is told by flush; without this it would count as unhandled before.
    saving.catch(() => undefined);
    return saving;
  };
  return {
    acknowledged(position) {
      latest = position;
      timer ??= setTimeout(saveNow, everyMs);
    },
    flush: saveNow,
  };
}
