/**
 * Text as SVG strokes. A bare machine has no fonts, and librsvg then draws boxes or nothing; so the preview brings its own letters: one
 * line width, round ends, printable ASCII.
 */

/*
 * Glyphs by character: advance width, then the strokes as SVG path data. Capitals stand from y = 0 to the base line at y = 10, small
 * letters begin at y = 3.4, tails reach y = 13.
 */
const GLYPHS: Readonly<Record<string, readonly [width: number, path: string]>> = {
  " ": [4, ""],
  "!": [3, "M1.5 0V6.6M1.5 9.7V10"],
  '"': [4.4, "M1.2 0V2.6M3.2 0V2.6"],
  "#": [8, "M3 1L2 9.4M6.2 1L5.2 9.4M1 3.6H7.2M.7 6.8H6.9"],
  $: [7, "M6 2.2C5.5 1.2 1.2 .7 1.2 3.2C1.2 5.8 6 4.4 6 7.1C6 9.6 1.5 9.4 .9 7.9M3.5 -.6V10.8"],
  "%": [9, "M7.4 .4L1.6 9.8M1 2.2A1.5 2 0 1 1 4 2.2A1.5 2 0 1 1 1 2.2M5 8A1.5 2 0 1 1 8 8A1.5 2 0 1 1 5 8"],
  "&": [8.4, "M7.6 10L2.5 3.7C.9 1.6 2.2 0 3.6 0C5.6 0 6 2.4 4.2 3.6C2.4 4.7 1 5.6 1 7.4C1 10.9 6.6 11 7.2 5.4"],
  "'": [2.6, "M1.3 0V2.6"],
  "(": [4, "M3.2 -1C.4 2.4 .4 8.4 3.2 11.8"],
  ")": [4, "M.8 -1C3.6 2.4 3.6 8.4 .8 11.8"],
  "*": [5.6, "M2.8 .4V4.8M.9 1.5L4.7 3.7M4.7 1.5L.9 3.7"],
  "+": [7, "M3.5 2.6V8.6M.5 5.6H6.5"],
  ",": [3, "M1.7 9.4V10L1 11.8"],
  "-": [5, "M.8 6H4.2"],
  ".": [3, "M1.5 9.8V10"],
  "/": [5, "M4.6 -.4L.4 11"],
  "0": [7, "M1 3.2C1 -1.06 6 -1.06 6 3.2V6.8C6 11.06 1 11.06 1 6.8Z"],
  "1": [7, "M1.6 2L4 0V10"],
  "2": [7, "M1.1 2.7C1.1 -.9 6 -.9 6 2.7C6 5 2.6 7.4 1 10H6.2"],
  "3": [7, "M1.2 0H6L3.2 3.8C7.2 3.6 7 10 3.4 10C2.2 10 1.2 9.4 .8 8.4"],
  "4": [7, "M4.8 10V0L.8 7H6.4"],
  "5": [7, "M5.7 0H1.7L1.3 4.4C2.6 3.3 6.2 3.4 6.2 6.7C6.2 10.3 2 10.9 .9 8.5"],
  "6": [7, "M5 0C2.4 2.4 1 4.7 1 6.9C1 11 6.1 11 6.1 6.9C6.1 3.4 2 3.2 1.2 6"],
  "7": [7, "M.9 0H6.2L2.8 10"],
  "8": [7, "M3.5 4.6C.6 4.4 .8 0 3.5 0C6.2 0 6.4 4.4 3.5 4.6C.2 4.8 .2 10 3.5 10C6.8 10 6.8 4.8 3.5 4.6"],
  "9": [7, "M2 10C4.6 7.6 6 5.3 6 3.1C6 -1 .9 -1 .9 3.1C.9 6.6 5 6.8 5.8 4"],
  ":": [3, "M1.5 4.2V4.4M1.5 9.7V9.9"],
  ";": [3, "M1.5 4.2V4.4M1.7 9.4V10L1 11.8"],
  "<": [7, "M6 2.6L1 5.6L6 8.6"],
  "=": [7, "M.8 4.2H6.2M.8 7H6.2"],
  ">": [7, "M1 2.6L6 5.6L1 8.6"],
  "?": [6, "M1 2.3C1.2 -.8 5.2 -.8 5.2 2.3C5.2 4.4 3 4.6 3 7M3 9.8V10"],
  "@": [
    11,
    "M7.6 3.4V6.4C7.6 9.2 10.2 8.6 10.2 5.4C10.2 -1.4 .8 -1.6 .8 5.2C.8 10.4 5 11.2 8 10M7.6 5.2C7.6 2.4 3.6 2.4 3.6 5.4C3.6 8.4 7.6 8.4 7.6 5.2",
  ],
  A: [8, "M.7 10L4 0L7.3 10M1.9 6.6H6.1"],
  B: [7.4, "M1.2 0V10M1.2 0H3.8C6.6 0 6.6 4.7 3.8 4.7H1.2M3.8 4.7C7.3 4.7 7.3 10 3.8 10H1.2"],
  C: [8, "M7.1 2.4C5.4 -1.2 1 -.4 1 5C1 10.4 5.4 11.2 7.1 7.6"],
  D: [8, "M1.2 0V10H3.2C8.2 10 8.2 0 3.2 0Z"],
  E: [6.8, "M6.1 0H1.2V10H6.1M1.2 4.8H5.2"],
  F: [6.4, "M6 0H1.2V10M1.2 4.9H5.1"],
  G: [8.4, "M7.2 2.3C5.4 -1.2 1 -.4 1 5C1 10.6 6.2 11.2 7.4 7.6V5.4H4.6"],
  H: [8, "M1.2 0V10M6.8 0V10M1.2 4.9H6.8"],
  I: [3, "M1.5 0V10"],
  J: [6, "M4.8 0V7C4.8 10.6 1.4 10.8 .7 8.2"],
  K: [7.4, "M1.2 0V10M6.6 0L1.2 6.2M3 4.2L6.9 10"],
  L: [6.2, "M1.2 0V10H5.8"],
  M: [9.4, "M1.2 10V0L4.7 6.8L8.2 0V10"],
  N: [8.2, "M1.2 10V0L7 10V0"],
  O: [8.6, "M1 5C1 -1.6 7.6 -1.6 7.6 5C7.6 11.6 1 11.6 1 5Z"],
  P: [7.2, "M1.2 10V0H3.8C7.2 0 7.2 5.4 3.8 5.4H1.2"],
  Q: [8.6, "M1 5C1 -1.6 7.6 -1.6 7.6 5C7.6 11.6 1 11.6 1 5ZM5.2 7.6L7.8 10.6"],
  R: [7.4, "M1.2 10V0H3.8C7.2 0 7.2 5.2 3.8 5.2H1.2M3.9 5.2L6.8 10"],
  S: [7.2, "M6.2 2C5.4 -.8 1.2 -.6 1.2 2.4C1.2 5.6 6.4 4.4 6.4 7.5C6.4 10.8 1.6 10.8 .8 8"],
  T: [7, "M.4 0H6.6M3.5 0V10"],
  U: [8, "M1.2 0V6.4C1.2 11.2 6.8 11.2 6.8 6.4V0"],
  V: [7.6, "M.6 0L3.8 10L7 0"],
  W: [11, "M.6 0L3 10L5.5 1.4L8 10L10.4 0"],
  X: [7.4, "M.8 0L6.6 10M6.6 0L.8 10"],
  Y: [7.2, "M.5 0L3.6 5.1L6.7 0M3.6 5.1V10"],
  Z: [7.2, "M.9 0H6.4L.8 10H6.5"],
  "[": [4, "M3.2 -1H1.2V11.6H3.2"],
  "\\": [5, "M.4 -.4L4.6 11"],
  "]": [4, "M.8 -1H2.8V11.6H.8"],
  "^": [6, "M1 3.4L3 .4L5 3.4"],
  _: [6.4, "M.2 11.4H6.2"],
  "`": [3.4, "M1 0L2.2 1.6"],
  a: [6.8, "M5.6 3.6V10M5.6 6.7C5.6 2.4 .9 2.4 .9 6.7C.9 11 5.6 11 5.6 6.7"],
  b: [6.8, "M1.2 0V10M1.2 6.7C1.2 2.4 5.9 2.4 5.9 6.7C5.9 11 1.2 11 1.2 6.7"],
  c: [6, "M5.3 5C4.2 2.4 .9 3 .9 6.7C.9 10.4 4.2 11 5.3 8.4"],
  d: [6.8, "M5.6 0V10M5.6 6.7C5.6 2.4 .9 2.4 .9 6.7C.9 11 5.6 11 5.6 6.7"],
  e: [6.6, "M.9 6.6H5.7C5.7 2.3 .9 2.3 .9 6.7C.9 10.7 4.4 11 5.4 8.6"],
  f: [4.4, "M4.1 .2C2.6 -.4 1.9 .6 1.9 2V10M.4 3.6H3.8"],
  g: [6.8, "M5.6 3.6V10.4C5.6 13.8 1.8 13.7 1.1 11.8M5.6 6.7C5.6 2.4 .9 2.4 .9 6.7C.9 11 5.6 11 5.6 6.7"],
  h: [6.6, "M1.2 0V10M1.2 6.2C1.4 2.6 5.4 2.4 5.4 6V10"],
  i: [2.6, "M1.3 3.6V10M1.3 1V1.1"],
  j: [2.8, "M1.5 3.6V11.4C1.5 12.8 .8 13.2 -.2 13M1.5 1V1.1"],
  k: [6, "M1.2 0V10M5.2 3.6L1.2 7.4M2.8 6L5.5 10"],
  l: [2.6, "M1.3 0V10"],
  m: [10, "M1.2 3.6V10M1.2 6.2C1.4 2.7 5 2.5 5 6V10M5 6.2C5.2 2.7 8.8 2.5 8.8 6V10"],
  n: [6.6, "M1.2 3.6V10M1.2 6.2C1.4 2.6 5.4 2.4 5.4 6V10"],
  o: [6.8, "M.9 6.7C.9 2.4 5.9 2.4 5.9 6.7C5.9 11 .9 11 .9 6.7Z"],
  p: [6.8, "M1.2 3.6V13M1.2 6.7C1.2 2.4 5.9 2.4 5.9 6.7C5.9 11 1.2 11 1.2 6.7"],
  q: [6.8, "M5.6 3.6V13M5.6 6.7C5.6 2.4 .9 2.4 .9 6.7C.9 11 5.6 11 5.6 6.7"],
  r: [4.6, "M1.2 3.6V10M1.2 6.4C1.4 3.8 2.8 3.1 4.4 3.7"],
  s: [5.8, "M4.9 4.8C4.2 2.8 1 3 1 5C1 7.2 5 6.2 5 8.3C5 10.6 1.4 10.6 .7 8.6"],
  t: [4.4, "M2 1.2V8.2C2 9.8 2.8 10.3 4 9.9M.4 3.6H3.9"],
  u: [6.6, "M1.2 3.6V7.6C1.2 11 5 11 5.3 7.4M5.4 3.6V10"],
  v: [6, "M.6 3.6L3 10L5.4 3.6"],
  w: [8.8, "M.6 3.6L2.5 10L4.4 4.4L6.3 10L8.2 3.6"],
  x: [6, "M.8 3.6L5.2 10M5.2 3.6L.8 10"],
  y: [6, "M.6 3.6L3.1 9.9M5.5 3.6L2.8 11C2.3 12.6 1.6 13.2 .4 12.9"],
  z: [5.8, "M.9 3.6H4.9L.8 10H5.1"],
  "{": [4.4, "M3.6 -1C1 -1 3.4 4.6 .8 5.3C3.4 6 1 11.6 3.6 11.6"],
  "|": [3, "M1.5 -1V12"],
  "}": [4.4, "M.8 -1C3.4 -1 1 4.6 3.6 5.3C1 6 3.4 11.6 .8 11.6"],
  "~": [7, "M.8 6.4C2.2 4.2 4.6 7.6 6.2 5.2"],
};
const UNKNOWN: readonly [number, string] = [7, "M1 0H6V10H1Z"];
const CAPITAL_HEIGHT = 10;

export interface Lettering {
  /** Height of capitals in pixels. */
  readonly height: number;
  readonly colour: string;
  /** Line width as a share of the height; default 0.115. */
  readonly weight?: number;
}

const glyphs = (text: string) => [...text].map((letter) => GLYPHS[letter] ?? UNKNOWN);

/** How wide a text is, in pixels. */
export function textWidth(text: string, height: number): number {
  return (glyphs(text).reduce((sum, [width]) => sum + width, 0) * height) / CAPITAL_HEIGHT;
}

/** A line of text whose capitals begin at `x` and stand on `baseline`, as SVG. Anything but printable ASCII becomes a box. */
export function lettering(text: string, x: number, baseline: number, { height, colour, weight = 0.115 }: Lettering): string {
  const scale = height / CAPITAL_HEIGHT;
  let at = 0;
  const strokes = glyphs(text).map(([width, path]) => {
    const placed = path === "" ? "" : `<path d="${path}" transform="translate(${at.toFixed(2)} 0)"/>`;
    at += width;
    return placed;
  });
  const stroke = `fill="none" stroke="${colour}" stroke-width="${weight * CAPITAL_HEIGHT}" stroke-linecap="round" stroke-linejoin="round"`;
  return `<g transform="translate(${x} ${baseline - height}) scale(${scale})" ${stroke}>${strokes.join("")}</g>`;
}

/** The text, cut with "..." to fit `width` pixels. */
export function fitText(text: string, width: number, height: number): string {
  if (textWidth(text, height) <= width) return text;
  let end = text.length;
  while (end > 0 && textWidth(`${text.slice(0, end)}...`, height) > width) end--;
  return `${text.slice(0, end)}...`;
}
