/**
 * What painting and encoding one mask costs: from runs, and by filling pixels in place and letting sharp compress them at level 6. Both ways take
 * turns in one run, one core at a time, and where python3 has OpenCV the reference's way too: `npm run bench -- raster`.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { PngFormat } from "../../services/rasterizer/png-format.js";
import { median } from "./median.js";
import type { Measured, Task, Way } from "./raster-way-worker.js";
import { referenceMilliseconds } from "./reference-way.js";

const ROUNDS = 15;
const SCENE = "8 polygons of 12 points and 7 segmentations of 300 points with 2 holes";
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

export async function rasterBench(): Promise<void> {
  console.log(
    `raster: painting and encoding one mask on one core, the scene of ${SCENE}, medians of ${ROUNDS} rounds of ${CALLS} calls taking turns`,
  );
  console.log("| image | runs ms | pixels + sharp 6 ms | times faster | reference ms | times faster | bytes, runs | bytes, sharp |");
  console.log("|---|---|---|---|---|---|---|---|");
  const runs = startWay("runs");
  const sharp = startWay("sharp");
  for (const { name: size, width, height } of SIZES) {
    for (const { name: colour, bytesPerPixel, values } of COLOURS) {
      const format: PngFormat = { width, height, bytesPerPixel, values };
      await runs.measure({ format, calls: WARM_UP_CALLS });
      await sharp.measure({ format, calls: CALLS });
      const rounds: { readonly runs: Measured; readonly sharp: Measured }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push({ runs: await runs.measure({ format, calls: CALLS }), sharp: await sharp.measure({ format, calls: CALLS }) });
      }
      const ours = median(rounds.map((round) => round.runs.milliseconds));
      const reference = referenceMilliseconds(format);
      const cells = [
        `${size} ${colour}`,
        ours.toFixed(2),
        median(rounds.map((round) => round.sharp.milliseconds)).toFixed(2),
        median(rounds.map((round) => round.sharp.milliseconds / round.runs.milliseconds)).toFixed(1),
        reference?.toFixed(1) ?? "–",
        reference === undefined ? "–" : (reference / ours).toFixed(0),
        rounds[0]?.runs.bytes,
        rounds[0]?.sharp.bytes,
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
  await Promise.all([runs.stop(), sharp.stop()]);
}
