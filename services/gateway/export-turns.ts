/**
 * One export of a project at a time: Hub keeps a single file a project, which another export writes over while it is downloaded
 * (docs/hub-protocol.md section 5.1). What others than this gateway export, it can not know.
 */
import { createSlots, type Slots } from "../runtime/slots.js";

export interface ExportTurns {
  /** Does the work when it is the project's turn; `onWait` is called when it is not at once. Rejects with the signal's reason. */
  within<T>(projectId: string, work: () => Promise<T>, signal: AbortSignal, onWait: () => void): Promise<T>;
}

export function createExportTurns(): ExportTurns {
  const turns = new Map<string, { readonly slots: Slots; users: number }>();
  return {
    async within(projectId, work, signal, onWait) {
      const turn = turns.get(projectId) ?? { slots: createSlots(1), users: 0 };
      turns.set(projectId, turn);
      turn.users += 1;
      try {
        const release = await turn.slots.take(signal, onWait);
        try {
          return await work();
        } finally {
          release();
        }
      } finally {
        turn.users -= 1;
        if (turn.users === 0) turns.delete(projectId);
      }
    },
  };
}
