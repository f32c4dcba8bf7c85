/**
 * How long the steps took for one asset, carried along in a header of its messages: `filter;dur=1.2, raster;dur=35` in milliseconds, in the
 * syntax of https://www.w3.org/TR/server-timing. Pure.
 */
export const SERVER_TIMING = "server-timing";

/** Longer than any asset's: what is longer is not ours. */
const MAX_LENGTH = 200;

/** The header with one more step at its end. */
export function withTiming(header: string | undefined, step: string, ms: number): string {
  const entry = `${step};dur=${Math.round(ms * 10) / 10}`;
  return header === undefined || header.length > MAX_LENGTH ? entry : `${header}, ${entry}`;
}

/** Milliseconds by step; whatever can not be read is left out. */
export function parseTiming(header: string | undefined): ReadonlyMap<string, number> {
  const steps = new Map<string, number>();
  for (const entry of (header ?? "").slice(0, 2 * MAX_LENGTH).split(",")) {
    const match = /^\s*([a-z]+);dur=(\d+(?:\.\d+)?)\s*$/.exec(entry);
    if (match?.[1] !== undefined) steps.set(match[1], (steps.get(match[1]) ?? 0) + Number(match[2]));
  }
  return steps;
}
