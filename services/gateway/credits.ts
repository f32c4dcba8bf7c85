/**
 * Credits of one run: how much may be between publish and final outcome (docs/delivery.md rule 5). They are computed from two counts and
 * never counted up or down, so that none can leak. Pure.
 */

import type { GlobalLimits, Share } from "./global-credits.js";

export interface CreditLimits extends GlobalLimits {
  /** At most so many assets in flight... */
  readonly window: number;
  /** ...and at most so many bytes of rows, but always at least one. */
  readonly maxBytes: number;
}

export interface Credits {
  /** Whether a row of `bytes` may be published while the packager has accounted for `accounted` assets of the epoch. */
  allow(bytes: number, accounted: number): boolean;
  /** A row of `bytes` is being published. */
  published(bytes: number): void;
  /** Assets between publish and final outcome. */
  inFlight(accounted: number): number;
}

/** Assets published from the start of the epoch that are not yet final. */
export function inFlight(nextIndex: number, accounted: number): number {
  return Math.max(0, nextIndex - accounted);
}

/**
 * @param start what was published before, asked once, at the first row: the first index to publish, or, in a round, what is accounted
 * for at its start (what is published in the round comes on top of it).
 * @param share what the other runs leave; absent: they are not minded
 */
export function createCredits({ window, maxBytes }: CreditLimits, start: () => number, share?: Pick<Share, "allows">): Credits {
  let next: number | undefined;
  /** Sizes of the latest published rows, oldest first: at most as many as are in flight. */
  let sizes: number[] = [];
  let head = 0;
  let bytesInFlight = 0;
  return {
    allow(bytes, accounted) {
      next ??= start();
      const open = inFlight(next, accounted);
      while (sizes.length - head > open) {
        bytesInFlight -= sizes[head] ?? 0;
        head += 1;
      }
      if (head > 1024) {
        sizes = sizes.slice(head);
        head = 0;
      }
      return open === 0 || (open < window && bytesInFlight + bytes <= maxBytes && (share?.allows(open) ?? true));
    },
    published(bytes) {
      next = (next ?? start()) + 1;
      sizes.push(bytes);
      bytesInFlight += bytes;
    },
    inFlight: (accounted) => inFlight(next ?? start(), accounted),
  };
}
