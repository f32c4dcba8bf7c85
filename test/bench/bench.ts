/** `npm run bench [-- raster|pipeline|memory|overhead|export ...]`: everything by default. Prints Markdown tables; docs/benchmarks.md holds what it printed. */
import { cpus, release } from "node:os";
import { exportMemoryBench } from "./export-memory-bench.js";
import { memoryBench } from "./memory-bench.js";
import { overheadBench } from "./overhead-bench.js";
import { pipelineBench } from "./pipeline-bench.js";
import { rasterBench } from "./raster-bench.js";

const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  raster: rasterBench,
  pipeline: pipelineBench,
  memory: memoryBench,
  overhead: overheadBench,
  export: exportMemoryBench,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}.`);
  process.exit(2);
}
console.log(`Node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model.trim()}\n`);
for (const name of wanted.length > 0 ? wanted : Object.keys(BENCHES)) {
  await BENCHES[name]?.();
  console.log();
}
