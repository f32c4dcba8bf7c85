/**
 * `npm run bench -- pipeline`: the whole pipeline in one process on 10,000 assets of 1080p, about 48 KB of JSON each; the simulator runs in
 * a process of its own on the same cores.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { writeFixture } from "./export-fixture.js";
import { median } from "./median.js";
import { measureSession, type SessionMeasure } from "./pipeline-run.js";

const ROUNDS = 3;

export async function pipelineBench(assets = 10_000): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-fixture-"));
  try {
    const rowBytes = await writeFixture(folder, { assets, width: 1920, height: 1080, decimals: 1, objects: 15 });
    const cores = availableParallelism();
    console.log(
      `pipeline: ${assets} assets of 1920x1080, ${(rowBytes / 1000).toFixed(1)} kB of JSON each, one process, ${cores} cores, ${ROUNDS} rounds`,
    );
    console.log("| round | export frozen s | publish to answer s | masks/s | masks/s per core | processor s | peak RSS MB |");
    console.log("|---|---|---|---|---|---|---|");
    const rounds: SessionMeasure[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const measure = await measureSession(folder, assets);
      rounds.push(measure);
      printRow(String(round), measure, cores);
    }
    const of = (field: keyof SessionMeasure) => median(rounds.map((measure) => measure[field]));
    const middle = {
      assets,
      seconds: of("seconds"),
      freezeSeconds: of("freezeSeconds"),
      cpuSeconds: of("cpuSeconds"),
      peakBytes: of("peakBytes"),
    };
    printRow("median", middle, cores);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function printRow(name: string, { assets, seconds, freezeSeconds, cpuSeconds, peakBytes }: SessionMeasure, cores: number): void {
  const rate = assets / seconds;
  const cells = [
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
