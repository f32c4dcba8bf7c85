/** Finding the name that somebody meant. */
import { listed, quoted } from "./user-words.js";

/** Names longer than this are not compared: the cost grows with the product of the lengths. */
const MAX_COMPARED = 100;
/** More candidates than these are not compared: each costs time, in which nothing else happens. */
const MAX_CANDIDATES = 500;
/** So many unknown names are told, each with the one that was meant. */
const MAX_TOLD = 20;

/** `"nroth" (did you mean "north"?), "elsewhere" and 980 more`: however many there are, the first ones are compared and told. */
export function listedWithNearest(unknown: readonly string[], candidates: readonly string[]): string {
  return listed(unknown, MAX_TOLD, (name) => {
    const meant = nearestName(name, candidates);
    return meant === undefined ? quoted(name) : `${quoted(name)} (did you mean ${quoted(meant)}?)`;
  });
}

/**
 * The candidate that `name` is probably a misspelling of, or undefined when none is near: at most a third of its letters may differ.
 * Capitals and the separators `-`, `_` and space do not count as differences. Of equally near ones the first is taken.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(name);
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    const known = plain(candidate);
    const longest = Math.max(wanted.length, known.length);
    const allowed = Math.floor(longest / 3);
    if (longest > MAX_COMPARED || Math.abs(wanted.length - known.length) > allowed) continue;
    const distance = editDistance(wanted, known);
    if (distance <= allowed && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** How many letters must be inserted, deleted, replaced, or swapped with their neighbour, to make `b` of `a`. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replaced, at(previous, j) + 1, at(current, j - 1) + 1);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(beforePrevious, j - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

/** Outside the table nothing is reachable. */
function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
