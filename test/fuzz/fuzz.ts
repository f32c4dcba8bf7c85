/**
 * `npm run fuzz [-- --minutes 10 --seed 7 --stream rows]`: fuzzes for so long, stretch after stretch, each with new mutants. What is
 * found is named by stream, number and seed; `--only rows/1234` tries that one alone.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { fuzzStretch } from "./fuzz-run.js";
import { STREAMS, type StreamName } from "./streams.js";
import { sum, type Tally } from "./tally.js";

const STRETCH: Readonly<Record<StreamName, number>> = { rows: 50_000, archives: 1_000, configs: 20_000, images: 20_000 };
const USAGE = `usage: npm run fuzz -- [--minutes 10] [--seed N] [--stream ${STREAMS.join("|")}]... [--only stream/number]`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    stream: { type: "string", multiple: true, default: [...STREAMS] },
    only: { type: "string" },
  },
});

function fail(reason: string): never {
  console.error(`${reason}\n${USAGE}`);
  process.exit(2);
}

function streamNamed(name: string): StreamName {
  return STREAMS.find((stream) => stream === name) ?? fail(`There is no stream ${name}.`);
}

const seed = Number(values.seed);
const milliseconds = Number(values.minutes) * 60_000;
if (!Number.isSafeInteger(seed) || !(milliseconds > 0)) fail("The seed is a whole number, the minutes more than 0.");

if (values.only !== undefined) {
  const [stream, number] = values.only.split("/");
  await fuzzStretch({ stream: streamNamed(stream ?? ""), seed, from: Number(number), end: Number(number) + 1 });
  console.log(`${values.only} of seed ${seed} breaks no promise.`);
} else {
  const streams = values.stream.map(streamNamed);
  const totals = new Map<StreamName, Tally[]>();
  console.log(`Seed ${seed}, ${values.minutes} min, ${streams.join(", ")}.`);
  for (let from = 0, end = performance.now() + milliseconds; performance.now() < end; from += 1) {
    for (const stream of streams) {
      if (performance.now() >= end) break;
      const { tally, peakBytes } = await fuzzStretch({ stream, seed, from: from * STRETCH[stream], end: (from + 1) * STRETCH[stream] });
      totals.set(stream, [...(totals.get(stream) ?? []), tally]);
      const slowest = `the slowest ${tally.slowestMs.toFixed(0)} ms (${stream}/${tally.slowest})`;
      console.log(`${stream}: ${tally.mutants} mutants, ${slowest}, ${(peakBytes / 1e6).toFixed(0)} MB`);
    }
  }
  for (const [stream, tallies] of totals) report(stream, tallies);
}

function report(stream: StreamName, tallies: readonly Tally[]): void {
  const mutants = sum(tallies.map((tally) => tally.mutants));
  console.log(`\n${stream}: ${mutants} mutants`);
  const ends = new Map<string, number>();
  for (const tally of tallies) for (const [end, count] of Object.entries(tally.ends)) ends.set(end, (ends.get(end) ?? 0) + count);
  for (const [end, count] of [...ends].sort((a, b) => b[1] - a[1])) {
    if (count * 1000 >= mutants) console.log(`  ${((count / mutants) * 100).toFixed(1).padStart(5)} %  ${end}`);
  }
}
