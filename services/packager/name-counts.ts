/** Counts by name, where the names come from an export: any text may be one, and there may be very many. */
export interface NameCounts {
  add(name: string, count: number): void;
  all(): Record<string, number>;
}

/** Beyond so many names the rest is counted together: counts travel in every Sync. */
const MAX_NAMES = 200;
const OTHERS = "other kinds";

export function countNames(): NameCounts {
  const counts = new Map<string, number>();
  return {
    add(name, count) {
      const counted = counts.has(name) || counts.size < MAX_NAMES ? name : OTHERS;
      counts.set(counted, (counts.get(counted) ?? 0) + count);
    },
    all: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
