/** Times of day and weathers: what colours a picture. */

type Rgb = readonly [number, number, number];

function parse(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** `share` of `other` in `colour`; both `#rrggbb`. */
export function mix(colour: string, other: string, share: number): string {
  const [from, to] = [parse(colour), parse(other)];
  return `#${from
    .map((value, channel) =>
      Math.round(value + ((to[channel] ?? 0) - value) * share)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}

export interface Mood {
  readonly name: string;
  readonly sky: { readonly top: string; readonly bottom: string };
  /** What everything is tinted with, and how much. */
  readonly tint: string;
  readonly tintShare: number;
  /** Share of windows that are lit; lamps and headlights shine above 0.3. */
  readonly lit: number;
  readonly sun: { readonly x: number; readonly y: number; readonly radius: number; readonly colour: string } | undefined;
  readonly stars: boolean;
  readonly falling: "rain" | "snow" | undefined;
  readonly road: string;
  readonly sidewalk: string;
  readonly terrain: string;
  readonly leaves: readonly [string, ...string[]];
  readonly walls: readonly [string, ...string[]];
}

const GREENS = ["#4f9a4b", "#3f8a57", "#6aa84f", "#2f7d5b"] as const;
const WALLS = ["#e7b08a", "#d98f78", "#efd9b4", "#b9c7cf", "#c77b5e", "#8fb0bd", "#e9c46a", "#a9b29a"] as const;
const DAY = {
  lit: 0.02,
  stars: false,
  falling: undefined,
  road: "#5d636b",
  sidewalk: "#c9c2b6",
  terrain: "#86b257",
  leaves: GREENS,
  walls: WALLS,
};

export const MOODS = [
  {
    ...DAY,
    name: "morning",
    sky: { top: "#7fc1e8", bottom: "#fdeed3" },
    tint: "#ffe3b8",
    tintShare: 0.1,
    sun: { x: 120, y: 90, radius: 20, colour: "#fff3c9" },
  },
  {
    ...DAY,
    name: "noon",
    sky: { top: "#3f9be0", bottom: "#d3eefb" },
    tint: "#ffffff",
    tintShare: 0.02,
    sun: { x: 505, y: 50, radius: 22, colour: "#fffbe0" },
  },
  {
    ...DAY,
    name: "golden",
    sky: { top: "#f59f6b", bottom: "#ffe7ae" },
    tint: "#ff8f3f",
    tintShare: 0.2,
    lit: 0.12,
    sun: { x: 430, y: 118, radius: 30, colour: "#fff0b3" },
  },
  {
    ...DAY,
    name: "dusk",
    sky: { top: "#3a2f6b", bottom: "#f29a86" },
    tint: "#4a2f72",
    tintShare: 0.38,
    lit: 0.45,
    sun: undefined,
    stars: true,
  },
  {
    ...DAY,
    name: "night",
    sky: { top: "#070d24", bottom: "#27365f" },
    tint: "#0c1838",
    tintShare: 0.55,
    lit: 0.5,
    sun: { x: 150, y: 60, radius: 15, colour: "#eef2ff" },
    stars: true,
  },
  {
    ...DAY,
    name: "rain",
    sky: { top: "#6d7d8c", bottom: "#b5c0c7" },
    tint: "#53636f",
    tintShare: 0.36,
    lit: 0.35,
    sun: undefined,
    falling: "rain",
    road: "#4a5159",
  },
  {
    ...DAY,
    name: "autumn",
    sky: { top: "#8fb6cf", bottom: "#f6e6cf" },
    tint: "#e8b98a",
    tintShare: 0.1,
    sun: { x: 300, y: 70, radius: 18, colour: "#fff1cf" },
    terrain: "#b59d4f",
    leaves: ["#d9822b", "#c4552d", "#e0a93b", "#a8632d"],
  },
  {
    ...DAY,
    name: "snow",
    sky: { top: "#a3b8cb", bottom: "#eef3f6" },
    tint: "#cfdcea",
    tintShare: 0.24,
    lit: 0.2,
    sun: undefined,
    falling: "snow",
    road: "#767d86",
    sidewalk: "#e9eef2",
    terrain: "#f3f6f8",
    leaves: ["#5f8a78", "#4f7a6c", "#d9e4e6", "#6d948a"],
  },
] as const satisfies readonly Mood[];

/** A colour in that light. */
export function inLight(mood: Mood, colour: string): string {
  return mix(colour, mood.tint, mood.tintShare);
}

/** A colour seen through `share` of haze. */
export function inHaze(mood: Mood, colour: string, share: number): string {
  return mix(inLight(mood, colour), mix(mood.sky.bottom, mood.sky.top, 0.2), Math.max(0, Math.min(0.85, share)));
}

/** A pane of glass: the sky in it, or a lamp behind it. */
export function glass(mood: Mood, lit: boolean): string {
  if (lit) return "#ffd98a";
  return mix(mix("#4b6479", mood.sky.top, 0.35), mood.tint, mood.tintShare * 0.6);
}
