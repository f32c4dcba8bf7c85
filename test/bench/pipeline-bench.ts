/**
 * `npm run bench -- pipeline`: the whole pipeline in one process on 10,000 assets of 1080p, about 48 KB of JSON each: on all cores, where the
 * simulator's process takes its share of them, and on one core that nobody else is on.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { busyCores } from "./busy-cores.js";
import { writeFixture } from "./export-fixture.js";
import { median } from "./median.js";
import { measureSession, type SessionMeasure } from "./pipeline-run.js";

const ROUNDS = 3;
const FIELDS = ["seconds", "freezeSeconds", "cpuSeconds", "peakBytes"] as const;

export async function pipelineBench(assets = 10_000): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-fixture-"));
  try {
    const rowBytes = await writeFixture(folder, { assets, width: 1920, height: 1080, decimals: 1, objects: 15 });
    const cores = availableParallelism();
    console.log(
      `pipeline: ${assets} assets of 1920x1080, ${(rowBytes / 1000).toFixed(1)} kB of JSON each, one process, ${cores} cores, ${ROUNDS} rounds`,
    );
    console.log("| cores | round | export frozen s | publish to answer s | masks/s | masks/s per core | processor s | peak RSS MB |");
    console.log("|---|---|---|---|---|---|---|---|");
    await measureRounds(cores, () => measureSession(folder, assets));
    if (cores > 1) await measureRounds(1, () => measureSession(folder, assets, { CONCURRENCY: "1" }, cores - 1));
    const { alone, together } = await busyCores(cores);
    console.log(
      `\nof these cores: one thread paints and encodes a mask in ${alone.toFixed(2)} ms while the others rest, and in ${together.toFixed(2)} ms while all ${cores} do the same`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureRounds(cores: number, measure: () => Promise<SessionMeasure>): Promise<void> {
  const rounds: SessionMeasure[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const measured = await measure();
    rounds.push(measured);
    printRow(String(round), measured, cores);
  }
  const [first] = rounds;
  if (!first) return;
  const middle = Object.fromEntries(FIELDS.map((field) => [field, median(rounds.map((round) => round[field]))]));
  printRow("median", { ...first, ...middle }, cores);
}

function printRow(name: string, { assets, seconds, freezeSeconds, cpuSeconds, peakBytes }: SessionMeasure, cores: number): void {
  const rate = assets / seconds;
  const cells = [
    String(cores),
    name,
    freezeSeconds.toFixed(1),
    seconds.toFixed(1),
    rate.toFixed(0),
    (rate / cores).toFixed(0),
    cpuSeconds.toFixed(1),
    (peakBytes / 1e6).toFixed(0),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
