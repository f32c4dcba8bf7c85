/** The packagers in Sync with this gateway: who is there, with which ledger, and who gets the next run. */

export interface PackagerSeen {
  readonly packager: string;
  /** Changes when the packager's volume was lost. */
  readonly ledgerId: string;
  readonly heardAt: number;
}

export interface Packagers {
  heard(packager: string, ledgerId: string): void;
  /** Undefined: never heard since the process began. */
  seen(packager: string): PackagerSeen | undefined;
  /** Heard lately. */
  inSync(packager: string): boolean;
  /** The one in Sync with the fewest open runs; `except` only counts as none. */
  choose(openRuns: (packager: string) => number, except?: string): PackagerSeen | undefined;
}

export function createPackagers({ now, inSync }: { readonly now: () => number; readonly inSync: number }): Packagers {
  const packagers = new Map<string, PackagerSeen>();
  const fresh = (seen: PackagerSeen | undefined) => seen !== undefined && now() - seen.heardAt <= inSync;
  return {
    heard(packager, ledgerId) {
      packagers.set(packager, { packager, ledgerId, heardAt: now() });
    },
    seen: (packager) => packagers.get(packager),
    inSync: (packager) => fresh(packagers.get(packager)),
    choose(openRuns, except) {
      return [...packagers.values()]
        .filter((seen) => fresh(seen) && seen.packager !== except)
        .map((seen) => ({ seen, load: openRuns(seen.packager) }))
        .sort((a, b) => a.load - b.load || (a.seen.packager < b.seen.packager ? -1 : 1))[0]?.seen;
    },
  };
}
