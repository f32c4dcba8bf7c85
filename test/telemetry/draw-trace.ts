/** Draws a trace as SVG: a line for each span, below its parent, as long as it took. Pure. */
import type { ReceivedSpan, Trace } from "./otlp-receiver.js";

const [WIDTH, NAMES, RIGHT, TOP, LINE] = [1100, 370, 60, 56, 17];
const COLOURS: Readonly<Record<string, string>> = { gateway: "#1f5fa8", filter: "#2e8b57", rasterizer: "#c96a10", packager: "#8a4fa3" };
const [OTHER, FAILED, GRID, TEXT] = ["#6e7781", "#cf222e", "#e4e7eb", "#30363d"];
/** About so many. */
const TICKS = 6;

interface Line {
  readonly span: ReceivedSpan;
  readonly depth: number;
}

/** @param title what stands above it */
export function drawTrace(trace: Trace, title: string): string {
  const lines = trace.roots().flatMap((root) => linesOf(trace, root, 0));
  const start = Math.min(...lines.map(({ span }) => span.startMs));
  const end = Math.max(...lines.map(({ span }) => span.endMs));
  const x = (ms: number) => round(NAMES + ((WIDTH - NAMES - RIGHT) * (ms - start)) / Math.max(end - start, 1));
  const height = TOP + lines.length * LINE + 12;
  const every = niceStep((end - start) / TICKS);
  const ticks = Array.from({ length: Math.floor((end - start) / every) + 1 }, (_, at) => start + at * every);
  const parts = [
    `<style>text{font:11px sans-serif;fill:${TEXT}}</style><rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="18" style="font-weight:bold">${escaped(title)}</text>`,
    legend(),
    ...ticks.map((ms) => `<path d="M${x(ms)} ${TOP - 8}V${height - 8}" stroke="${GRID}"/>`),
    ...ticks.map((ms) => `<text x="${x(ms)}" y="${TOP - 12}" text-anchor="middle">${round(ms - start)} ms</text>`),
    ...lines.map((line, at) => drawLine(line, TOP + at * LINE, x)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">\n${parts.join("\n")}\n</svg>\n`;
}

/** The span, then those below it in the order in which they began. */
function linesOf(trace: Trace, span: ReceivedSpan, depth: number): Line[] {
  const below = trace.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).sort((a, b) => a.startMs - b.startMs);
  return [{ span, depth }, ...below.flatMap((one) => linesOf(trace, one, depth + 1))];
}

function drawLine({ span, depth }: Line, y: number, x: (ms: number) => number): string {
  const { name, startMs, endMs, attributes, error } = span;
  const index = attributes["maskline.asset.index"];
  const label = index === undefined ? name : `${name} (asset ${index})`;
  const colour = COLOURS[roleOf(span)] ?? OTHER;
  const width = Math.max(x(endMs) - x(startMs), 1.5);
  const took = `${round(endMs - startMs)} ms`;
  const outline = error === undefined ? "" : ` stroke="${FAILED}" stroke-width="1.5"`;
  // On the left of a bar that reaches the border there is room.
  const reaches = x(endMs) > WIDTH - RIGHT - 4;
  const told = reaches
    ? `<text x="${round(x(startMs) - 5)}" y="${y + 12}" text-anchor="end">${took}</text>`
    : `<text x="${round(x(startMs) + width + 5)}" y="${y + 12}">${took}</text>`;
  return [
    `<circle cx="${14 + depth * 14}" cy="${y + 8}" r="3.5" fill="${colour}"/>`,
    `<text x="${22 + depth * 14}" y="${y + 12}"${error === undefined ? "" : ` style="fill:${FAILED}"`}>${escaped(label)}</text>`,
    `<rect x="${x(startMs)}" y="${y + 3}" width="${round(width)}" height="${LINE - 6}" rx="2" fill="${colour}"${outline}/>`,
    width > WIDTH - NAMES - RIGHT - 60 ? "" : told,
  ].join("");
}

function roleOf({ attributes }: ReceivedSpan): string {
  return String(attributes["maskline.role"]);
}

function legend(): string {
  return Object.entries(COLOURS)
    .map(
      ([role, colour], at) =>
        `<circle cx="${14 + at * 90}" cy="34" r="4" fill="${colour}"/><text x="${22 + at * 90}" y="38">${role}</text>`,
    )
    .join("");
}

/** 1, 2 or 5 times a power of ten, not below it. */
function niceStep(ms: number): number {
  const scale = 10 ** Math.floor(Math.log10(Math.max(ms, 1)));
  return [1, 2, 5].map((step) => step * scale).find((step) => step >= ms) ?? 10 * scale;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
