/** The packagers in Sync with this gateway: who is there, with which ledger, and who gets the next run. */

import { IdTaken } from "../runtime/gateway-calls.js";

const KEPT_LEDGERS = 16;

export interface PackagerSeen {
  readonly packager: string;
  /** Changes when the packager's volume was lost. */
  readonly ledgerId: string;
  readonly heardAt: number;
  /** Runs of other gateways that it holds. */
  readonly otherRuns: number;
}

export interface Packagers {
  /**
   * Takes in who is there.
   * @throws IdTaken when the ledger was replaced by another one that is still heard: two packagers have the same id. A volume that was lost
   * is not heard again.
   */
  heard(packager: string, ledgerId: string, otherRuns: number): void;
  /** Undefined: never heard since the process began. */
  seen(packager: string): PackagerSeen | undefined;
  /** Heard lately. */
  inSync(packager: string): boolean;
  /** The one in Sync with the fewest open runs, those of other gateways included; `except` only counts as none. */
  choose(openRuns: (packager: string) => number, except?: string): PackagerSeen | undefined;
}

export function createPackagers({ now, inSync }: { readonly now: () => number; readonly inSync: number }): Packagers {
  const packagers = new Map<string, PackagerSeen>();
  /** Ledgers of a packager that another one has replaced, the latest ones. */
  const replaced = new Map<string, readonly string[]>();
  const fresh = (seen: PackagerSeen | undefined) => seen !== undefined && now() - seen.heardAt <= inSync;
  return {
    heard(packager, ledgerId, otherRuns) {
      const before = packagers.get(packager);
      if (before && before.ledgerId !== ledgerId) {
        const former = replaced.get(packager) ?? [];
        if (former.includes(ledgerId) && fresh(before)) {
          throw new IdTaken(`another packager is heard as ${packager}, from another volume: give each packager its own PACKAGER_ID`);
        }
        replaced.set(packager, [...former.filter((ledger) => ledger !== ledgerId), before.ledgerId].slice(-KEPT_LEDGERS));
      }
      packagers.set(packager, { packager, ledgerId, heardAt: now(), otherRuns });
    },
    seen: (packager) => packagers.get(packager),
    inSync: (packager) => fresh(packagers.get(packager)),
    choose(openRuns, except) {
      return [...packagers.values()]
        .filter((seen) => fresh(seen) && seen.packager !== except)
        .map((seen) => ({ seen, load: openRuns(seen.packager) + seen.otherRuns }))
        .sort((a, b) => a.load - b.load || (a.seen.packager < b.seen.packager ? -1 : 1))[0]?.seen;
    },
  };
}
