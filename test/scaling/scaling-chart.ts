/** Draws courses of simulated sessions as SVG: pods and outcomes a second over time. Pure. */
import type { SessionCourse } from "./session-model.js";

export interface Panel {
  readonly title: string;
  readonly course: SessionCourse;
}

const [WIDTH, PANEL_HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [860, 300, 60, 70, 44, 40];
const COLOURS = { rasterizer: "#1f5fa8", filter: "#2e8b57", rate: "#c96a10", grid: "#d9dde2", text: "#30363d" } as const;

/** One picture with the panels below each other. */
export function scalingChart(panels: readonly Panel[]): string {
  const height = panels.length * PANEL_HEIGHT;
  const style = `<style>text{font:12px sans-serif;fill:${COLOURS.text}}</style><rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`;
  const drawn = panels.map((panel, at) => `<g transform="translate(0,${at * PANEL_HEIGHT})">${drawPanel(panel)}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Replicas, queue and throughput over time">\n${style}\n${drawn.join("\n")}\n</svg>\n`;
}

function drawPanel({ title, course }: Panel): string {
  const { samples, finishedAt } = course;
  const last = samples.at(-1)?.second ?? 1;
  const mostPods = niceTop(Math.max(...samples.map(({ replicas }) => Math.max(replicas.filter, replicas.rasterizer))));
  const mostRate = niceTop(Math.max(...samples.map(({ perSecond }) => perSecond)));
  const [right, bottom] = [WIDTH - RIGHT, PANEL_HEIGHT - BOTTOM];
  const x = (second: number) => round(LEFT + ((right - LEFT) * second) / last);
  const y = (value: number, most: number) => round(bottom - ((bottom - TOP) * value) / most);
  const line = (values: readonly number[], most: number, colour: string, dashes = "") => {
    const points = samples.map(({ second }, at) => `${x(second)},${y(values[at] ?? 0, most)}`).join(" ");
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.8"${dashes && ` stroke-dasharray="${dashes}"`}/>`;
  };
  const parts = [
    `<text x="${LEFT}" y="20" style="font-weight:bold">${title}</text>`,
    ...quarters(mostPods).map((pods) => `<path d="M${LEFT} ${y(pods, mostPods)}H${right}" stroke="${COLOURS.grid}"/>`),
    ...quarters(mostPods).map((pods) => `<text x="${LEFT - 8}" y="${y(pods, mostPods) + 4}" text-anchor="end">${pods}</text>`),
    ...quarters(mostRate).map((rate) => `<text x="${right + 8}" y="${y(rate, mostRate) + 4}">${rate}</text>`),
    ...minutes(last).map((second) => `<text x="${x(second)}" y="${bottom + 18}" text-anchor="middle">${second / 60} min</text>`),
    line(
      samples.map(({ perSecond }) => perSecond),
      mostRate,
      COLOURS.rate,
      "4 3",
    ),
    line(
      samples.map(({ replicas }) => replicas.filter),
      mostPods,
      COLOURS.filter,
    ),
    line(
      samples.map(({ replicas }) => replicas.rasterizer),
      mostPods,
      COLOURS.rasterizer,
    ),
    ...(finishedAt === undefined ? [] : [`<path d="M${x(finishedAt)} ${TOP}V${bottom}" stroke="${COLOURS.text}" stroke-dasharray="2 3"/>`]),
    legend([
      ["rasterizers", COLOURS.rasterizer],
      ["filters", COLOURS.filter],
      ["masks/s (right)", COLOURS.rate],
    ]),
  ];
  return parts.join("\n");
}

function legend(entries: readonly (readonly [text: string, colour: string])[]): string {
  return entries
    .map(([text, colour], at) => {
      const left = LEFT + at * 120;
      return `<path d="M${left} 34h18" stroke="${colour}" stroke-width="2"/><text x="${left + 24}" y="38">${text}</text>`;
    })
    .join("");
}

/** A round number above it that four parts divide. */
function niceTop(value: number): number {
  const steps = [4, 8, 12, 16, 20, 24, 32, 40];
  for (let scale = 1; ; scale *= 10) {
    const found = steps.map((step) => step * scale).find((step) => step >= value);
    if (found !== undefined) return found;
  }
}

function quarters(most: number): number[] {
  return [0, 1, 2, 3, 4].map((part) => (most * part) / 4);
}

/** Full minutes, at most about ten of them. */
function minutes(last: number): number[] {
  const every = Math.max(1, Math.ceil(last / 60 / 10)) * 60;
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, at) => at * every);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
