/** `npm run bench -- roles`: the session of `npm run bench -- pipeline`, with every role as a process of its own on NATS: the memory of each. */
import { FOUR_ROLES, THREADS } from "./cluster.js";
import { median } from "./median.js";
import { boundBytes } from "./memory-bounds.js";
import type { BenchOptions } from "./options.js";
import { measureRoles, type RolesMeasure } from "./roles-run.js";

const ASSETS = 10_000;
const ROUNDS = 3;

export async function rolesBench({ assets = ASSETS, rounds = ROUNDS }: BenchOptions = {}): Promise<void> {
  const measures: RolesMeasure[] = [];
  for (let round = 1; round <= rounds; round++) {
    const tell = (text: string) => console.error(`  round ${round}: ${text}`);
    measures.push(await measureRoles({ fixture: { assets, width: 1920, height: 1080, decimals: 1, objects: 15 }, tell }));
  }
  const of = (field: (measure: RolesMeasure) => number) => median(measures.map(field));
  console.log(
    `roles: ${assets} assets of 1920x1080, each role a process of its own on NATS, CONCURRENCY=${THREADS}, medians of ${rounds} rounds: ` +
      `${of(({ seconds }) => assets / seconds).toFixed(0)} masks/s, ${of(({ cpuSeconds }) => cpuSeconds).toFixed(1)} s of processor time ` +
      `and ${of(({ brokerCpuSeconds }) => brokerCpuSeconds).toFixed(1)} s of the broker's`,
  );
  console.log("| role | peak RSS MB (median) | peak RSS MB (highest) | bound MB |");
  console.log("|---|---|---|---|");
  const over: string[] = [];
  for (const role of Object.keys(FOUR_ROLES)) {
    const peaks = measures.map(({ peakBytes }) => peakBytes.get(role) ?? Number.NaN);
    const bound = boundBytes(role, assets);
    console.log(`| ${[role, ...[median(peaks), Math.max(...peaks), bound].map((bytes) => (bytes / 1e6).toFixed(0))].join(" | ")} |`);
    if (median(peaks) > bound) over.push(role);
  }
  if (over.length > 0) throw new Error(`over the bound: ${over.join(", ")}`);
}
