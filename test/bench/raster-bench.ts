/**
 * What painting and encoding one mask costs: from runs, and by filling pixels in place and letting sharp compress them at level 6. Both ways take
 * turns in one run, one core at a time: `node dist/test/bench/raster-bench.js [rounds]`.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { PngFormat } from "../../services/rasterizer/png-format.js";
import type { Measured, Task, Way } from "./raster-way-worker.js";

const ROUNDS = Number(process.argv[2] ?? 15);
/** Calls of a way in a row: each finds its own buffers in the caches, as in a busy service. */
const CALLS = 10;
const WARM_UP_CALLS = 300;

const SIZES = [
  { name: "1080p", width: 1920, height: 1080 },
  { name: "4K", width: 3840, height: 2160 },
] as const;
const LABELS = Array.from({ length: 16 }, (_, label) => label);
const COLOURS = [
  { name: "gray", bytesPerPixel: 1, values: LABELS },
  { name: "RGB", bytesPerPixel: 3, values: LABELS.map((label) => (label === 0 ? 0 : (label * 0x2f6d3b + 0x1177aa) & 0xffffff)) },
] as const;

function startWay(way: Way) {
  const worker = new Worker(new URL("./raster-way-worker.js", import.meta.url), { workerData: way });
  return {
    measure: async (task: Task): Promise<Measured> => {
      worker.postMessage(task);
      const [measured] = await once(worker, "message");
      return measured;
    },
    stop: () => worker.terminate(),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const runs = startWay("runs");
const sharp = startWay("sharp");
const table: Record<string, Record<string, string | number | undefined>> = {};
for (const { name: size, width, height } of SIZES) {
  for (const { name: colour, bytesPerPixel, values } of COLOURS) {
    const format: PngFormat = { width, height, bytesPerPixel, values };
    await runs.measure({ format, calls: WARM_UP_CALLS });
    await sharp.measure({ format, calls: CALLS });
    const rounds: { readonly runs: Measured; readonly sharp: Measured }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ runs: await runs.measure({ format, calls: CALLS }), sharp: await sharp.measure({ format, calls: CALLS }) });
    }
    table[`${size} ${colour}`] = {
      "runs (ms)": median(rounds.map((round) => round.runs.milliseconds)).toFixed(2),
      "pixels + sharp 6 (ms)": median(rounds.map((round) => round.sharp.milliseconds)).toFixed(2),
      "times faster": median(rounds.map((round) => round.sharp.milliseconds / round.runs.milliseconds)).toFixed(1),
      "runs (bytes)": rounds[0]?.runs.bytes,
      "sharp (bytes)": rounds[0]?.sharp.bytes,
    };
  }
}
await Promise.all([runs.stop(), sharp.stop()]);
console.table(table);
