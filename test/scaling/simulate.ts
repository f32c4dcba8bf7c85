/**
 * `npm run scaling`: a session of a million assets against the ScaledObjects that the chart renders: pods, queues and finish over time.
 *
 *     npm run scaling -- [--assets 1000000] [--mask-ms 2] [--filter-ms 1] [--start 20] [--window 512] [--max 16] [--threshold 32]
 *                        [--gateway 2000] [--packager 2000] [--rendering hardened] [--chart docs/scaling.svg]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { DEFAULT_RENDERING, sessionInputs } from "./inputs.js";
import { courseOf, outcomeOf, scalingPicture, titleOf } from "./scaling-picture.js";

const number = { type: "string" } as const;
const { values } = parseArgs({
  options: {
    ...{ assets: number, "mask-ms": number, "filter-ms": number, start: number, window: number, max: number, threshold: number },
    ...{ gateway: number, packager: number, rendering: { type: "string", default: DEFAULT_RENDERING }, chart: { type: "string" } },
  },
});

function given(name: Exclude<keyof typeof values, "chart" | "rendering">): number | undefined {
  const text = values[name];
  if (text !== undefined && !(Number(text) > 0)) throw new Error(`--${name} is ${text}; allowed: a number above 0`);
  return text === undefined ? undefined : Number(text);
}

const asked = {
  assets: given("assets"),
  maskMs: given("mask-ms"),
  filterMs: given("filter-ms"),
  startSeconds: given("start"),
  window: given("window"),
  max: given("max"),
  threshold: given("threshold"),
  gatewayPerSecond: given("gateway"),
  packagerPerSecond: given("packager"),
};
const inputs = sessionInputs(asked, values.rendering);
const course = courseOf(inputs);

console.log(`${titleOf(inputs)}\n`);
console.log("minute       done   masks/s   filters  rasterizers  (working)   lag filter  lag raster");
for (const row of course.samples.filter((_, second) => second % 60 === 0)) {
  const cells = [row.second / 60, Math.round(row.done), Math.round(row.perSecond), row.replicas.filter, row.replicas.rasterizer];
  const more = [row.ready.rasterizer, Math.round(row.lag.filter), Math.round(row.lag.rasterizer)];
  const widths = [6, 11, 10, 10, 13, 11, 13, 12];
  console.log([...cells, ...more].map((cell, at) => String(cell).padStart(widths[at] ?? 10)).join(""));
}
const { minutes, rasterizers, podHours } = outcomeOf(course);
console.log(
  minutes === undefined
    ? "\nNot finished within a day."
    : `\nAll final after ${minutes} min, with at most ${rasterizers} rasterizers; ${podHours} hours of pods in all.`,
);

if (values.chart !== undefined) {
  writeFileSync(values.chart, scalingPicture(asked, values.rendering));
  console.log(`wrote ${values.chart}`);
}
