/** `npm run bench -- memory`: the peak memory of a 5,000-asset and a 20,000-asset session in one process, side by side. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFixture } from "./export-fixture.js";
import { median } from "./median.js";
import { measureSession } from "./pipeline-run.js";

const ROUNDS = 3;

export async function memoryBench(sizes: readonly number[] = [5_000, 20_000]): Promise<void> {
  console.log(`memory: peak RSS of "maskline all", 1280x720, 5 objects an asset, medians of ${ROUNDS} rounds`);
  console.log("| assets | peak RSS MB | to the smallest |");
  console.log("|---|---|---|");
  let smallest: number | undefined;
  for (const assets of sizes) {
    const folder = await mkdtemp(join(tmpdir(), "maskline-fixture-"));
    try {
      await writeFixture(folder, { assets, width: 1280, height: 720, decimals: 3, objects: 5 });
      const peaks: number[] = [];
      for (let round = 0; round < ROUNDS; round++) peaks.push((await measureSession(folder, assets)).peakBytes);
      const peak = median(peaks);
      smallest ??= peak;
      console.log(`| ${assets} | ${(peak / 1e6).toFixed(0)} | ${(peak / smallest).toFixed(3)} |`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
