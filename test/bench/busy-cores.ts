/** How much of a core is left while all of them are busy: those of a virtual machine are often the two threads of one. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { median } from "./median.js";
import type { Measured, Task } from "./raster-way-worker.js";

const ROUNDS = 9;
const FORMAT = { width: 1920, height: 1080, bytesPerPixel: 1, values: Array.from({ length: 16 }, (_, label) => label) } as const;
const WARM_UP: Task = { format: FORMAT, calls: 300 };
const TASK: Task = { format: FORMAT, calls: 100 };

/** Milliseconds that painting and encoding one mask takes a thread: alone, and with `cores` of them at it. */
export async function busyCores(cores: number): Promise<{ readonly alone: number; readonly together: number }> {
  const workers = Array.from(
    { length: cores },
    () => new Worker(new URL("./raster-way-worker.js", import.meta.url), { workerData: "runs" }),
  );
  const measure = async (worker: Worker, task: Task): Promise<number> => {
    worker.postMessage(task);
    const [measured] = (await once(worker, "message")) as [Measured];
    return measured.milliseconds;
  };
  try {
    await Promise.all(workers.map((worker) => measure(worker, WARM_UP)));
    const alone: number[] = [];
    const together: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [first] = workers;
      if (first) alone.push(await measure(first, TASK));
      together.push(...(await Promise.all(workers.map((worker) => measure(worker, TASK)))));
    }
    return { alone: median(alone), together: median(together) };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
