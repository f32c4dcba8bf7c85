/** The plan of a chaotic run: which blow falls when, and on whom. The same seed gives the same plan. Pure. */
import { dice } from "../fuzz/dice.js";
import type { Members } from "./fleet.js";

/**
 * `kill`: SIGKILL. `broker`: the broker is killed, and is away for a while. `volume`: a packager is killed and its volume deleted. `messages`:
 * all rasterizers are killed, and what then waits for them is deleted at the broker.
 */
export type BlowKind = "kill" | "broker" | "volume" | "messages";

export interface Blow {
  /** Since the begin of the run. */
  readonly atMs: number;
  readonly kind: BlowKind;
  /** The processes that are killed; none when it is the broker. */
  readonly victims: readonly string[];
  /** It falls when its victim next holds something, or at that moment exactly. */
  readonly waitsForWork: boolean;
  /** So long nobody starts again what was killed. */
  readonly downMs: number;
}

export interface PlanOptions {
  readonly seed: number;
  readonly members: Members;
  /** Of the broker. Whatever one blow broke is mended before the next one falls. */
  readonly takeoverMs: number;
  readonly durationMs: number;
  /** Blows that fall once, besides kills. */
  readonly once: readonly Exclude<BlowKind, "kill">[];
  /** Takeover times between two blows at the most; the least is `GAP.least`. */
  readonly mostGap?: number;
}

/** Takeover times between blows at the least, and at the most. */
export const GAP = { least: 3, most: 4 };
const FIRST_MS = 1_000;
/** Mostly one process; sometimes two at once. */
const TWO_AT_ONCE = 0.2;
const WAITS_FOR_WORK = 0.75;
/** Longest time, in takeover times, that a killed process or broker is away. */
const LONGEST_DOWN = 1;

export function planBlows({ seed, members, takeoverMs, durationMs, once, mostGap = GAP.most }: PlanOptions): readonly Blow[] {
  const random = dice(seed, "chaos", 0);
  const times: number[] = [];
  const gap = () => Math.round(takeoverMs * GAP.least) + random.below(takeoverMs * (mostGap - GAP.least));
  for (let at = FIRST_MS; at < durationMs; at += gap()) times.push(at);
  const kinds: BlowKind[] = times.map(() => "kill");
  // Spread over the run, and in an order of their own; a run that is too short has them first.
  const order = shuffled(once, random.below);
  order.forEach((kind, at) => {
    const slot = Math.floor(((at + 0.5) * times.length) / order.length);
    kinds[slot] = kind;
  });
  const names = Object.keys(members);
  const deck: string[] = [];
  /** Everyone has its turn before anyone has another. */
  const draw = (): string => {
    if (deck.length === 0) deck.push(...shuffled(names, random.below));
    return deck.pop() ?? "";
  };
  const victimsOf = (kind: BlowKind): readonly string[] => {
    if (kind === "kill") return random.chance(TWO_AT_ONCE) ? [...new Set([draw(), draw()])] : [draw()];
    if (kind === "volume")
      return shuffled(
        names.filter((name) => members[name] === "packager"),
        random.below,
      ).slice(0, 1);
    return kind === "messages" ? names.filter((name) => members[name] === "rasterizer") : [];
  };
  return times.map((atMs, at) => {
    const kind = kinds[at] ?? "kill";
    return {
      atMs,
      kind,
      victims: victimsOf(kind),
      waitsForWork: kind === "volume" || (kind === "kill" && random.chance(WAITS_FOR_WORK)),
      downMs: random.below(takeoverMs * LONGEST_DOWN),
    };
  });
}

function shuffled<T>(list: readonly T[], below: (end: number) => number): T[] {
  const rest = [...list];
  return list.flatMap(() => rest.splice(below(rest.length), 1));
}
