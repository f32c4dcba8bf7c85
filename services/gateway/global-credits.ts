/**
 * Credits of all runs of a gateway together: each has its share of the global window, which grows and shrinks as runs begin and end. What
 * is in flight is asked of the runs and never counted up or down, so that none of it can leak (docs/delivery.md rule 5). Pure.
 */

export interface GlobalLimits {
  /** Assets of one run in flight at most, however few runs there are. */
  readonly window: number;
  /** Assets of all runs in flight at most; undefined: only `window` counts. */
  readonly globalWindow?: number;
}

/** A run keeps going with so many, however many runs there are, and whatever the others hold that stand still. */
export const SMALLEST_SHARE = 16;

/** What one run may have in flight besides the others. */
export interface Share {
  /** Whether one more may be published while so many are in flight. One is always allowed. */
  allows(inFlight: number): boolean;
  /** Nothing more is to be published: with its last outcome, the others have its share. */
  finished(): void;
  /** The round is over. */
  leave(): void;
}

export interface GlobalCredits {
  /** @param inFlight how many assets of the run are between publish and outcome; asked at any time from now on */
  join(inFlight: () => number): Share;
}

interface Member {
  readonly inFlight: () => number;
  publishing: boolean;
}

/**
 * All runs together have at most `globalWindow` in flight, and the smallest share of each run more while shares shrink: what a run has
 * published is not taken back.
 */
export function createGlobalCredits({ window, globalWindow }: GlobalLimits): GlobalCredits {
  const members = new Set<Member>();
  const smallest = Math.min(SMALLEST_SHARE, window);
  /** A run whose packager has not told yet how far it is may seem to have more in flight than it can. */
  const held = ({ inFlight }: Member) => Math.min(inFlight(), window);

  function isAllowed(inFlight: number): boolean {
    if (inFlight < 1) return true;
    if (globalWindow === undefined) return inFlight < window;
    let active = 0;
    let total = 0;
    for (const member of members) {
      const holds = held(member);
      total += holds;
      if (member.publishing || holds > 0) active += 1;
    }
    if (inFlight >= shareOf(globalWindow, active, { smallest, largest: window })) return false;
    return inFlight < smallest || total < globalWindow;
  }

  return {
    join(inFlight) {
      const member: Member = { inFlight, publishing: true };
      members.add(member);
      return {
        allows: isAllowed,
        finished: () => {
          member.publishing = false;
        },
        leave: () => void members.delete(member),
      };
    },
  };
}

/** An equal part of the window, within bounds. */
export function shareOf(globalWindow: number, active: number, { smallest, largest }: { smallest: number; largest: number }): number {
  return Math.min(largest, Math.max(smallest, Math.floor(globalWindow / Math.max(1, active))));
}
