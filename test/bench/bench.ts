/**
 * `npm run bench [-- raster|stages|pipeline|memory|overhead|export|roles|scale|fairness|flat ...]`: everything by default. Prints Markdown
 * tables, and on standard error how far it is; docs/benchmarks.md holds what it printed. `--assets`, `--rounds` and `--bus nats,kafka` go to
 * those that know them. Exits with 1 when a figure is not what it should be, or a benchmark takes longer than it may.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { constants, cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BUS_NAMES } from "./broker.js";
import { exportMemoryBench } from "./export-memory-bench.js";
import { fairnessBench } from "./fairness-bench.js";
import { flatBench } from "./flat-bench.js";
import { memoryBench } from "./memory-bench.js";
import type { BenchOptions } from "./options.js";
import { overheadBench } from "./overhead-bench.js";
import { pipelineBench } from "./pipeline-bench.js";
import { rasterBench } from "./raster-bench.js";
import { rolesBench } from "./roles-bench.js";
import { scaleBench } from "./scale-bench.js";
import { stageBench } from "./stage-bench.js";

interface Bench {
  readonly run: (options: BenchOptions) => Promise<void>;
  /** It takes a half of it at most, on four cores. */
  readonly minutes: number;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  raster: { run: rasterBench, minutes: 10 },
  stages: { run: stageBench, minutes: 5 },
  pipeline: { run: ({ assets }) => pipelineBench(assets), minutes: 10 },
  memory: { run: () => memoryBench(), minutes: 20 },
  overhead: { run: ({ assets, rounds }) => overheadBench(assets, rounds), minutes: 30 },
  export: { run: () => exportMemoryBench(), minutes: 10 },
  roles: { run: rolesBench, minutes: 10 },
  scale: { run: scaleBench, minutes: 20 },
  fairness: { run: fairnessBench, minutes: 20 },
  flat: { run: flatBench, minutes: 30 },
};

/** Everything that is written lies in one folder, which goes with this process however it ends; so do the processes it started. */
function cleanUpAtTheEnd(): void {
  const folder = mkdtempSync(join(tmpdir(), "maskline-bench-"));
  process.env.TMPDIR = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

function readArguments(): { readonly names: readonly string[]; readonly options: BenchOptions } {
  const number = { type: "string" } as const;
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { assets: number, rounds: number, bus: { type: "string" } },
  });
  const unknown = positionals.filter((name) => !(name in BENCHES));
  if (unknown.length > 0) throw new Error(`no benchmark is called ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  const wanted = values.bus?.split(",");
  const buses = wanted && BUS_NAMES.filter((name) => wanted.includes(name));
  if (wanted && buses?.length !== wanted.length)
    throw new Error(`--bus ${values.bus}: allowed are ${BUS_NAMES.join(", ")}, with commas between`);
  return {
    names: positionals.length > 0 ? positionals : Object.keys(BENCHES),
    options: { assets: wholeNumber("assets", values.assets), rounds: wholeNumber("rounds", values.rounds), buses },
  };
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Error(`--${name} ${text}: allowed is a whole number from 1 to 9999999`);
  return Number(text);
}

async function main(): Promise<void> {
  const { names, options } = readArguments();
  cleanUpAtTheEnd();
  console.log(`Node ${process.version}, Linux ${release()}, ${cpus().length} x ${cpus()[0]?.model.trim()}\n`);
  for (const name of names) {
    const bench = BENCHES[name];
    if (!bench) continue;
    console.error(`${name}: takes ${bench.minutes} minutes at the most`);
    const cap = setTimeout(() => {
      console.error(`bench: ${name} has not ended within ${bench.minutes} minutes`);
      process.exit(1);
    }, bench.minutes * 60_000);
    try {
      await bench.run(options);
    } catch (error) {
      process.exitCode = 1;
      console.error(`bench: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      clearTimeout(cap);
    }
    console.log();
  }
}

main().catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
});
