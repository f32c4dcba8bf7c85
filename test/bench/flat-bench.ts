/**
 * `npm run bench -- flat`: a session of 200,000 tiny assets on NATS beside sessions of 10,000, every role a process of its own: what an asset
 * costs, what each role and the broker's disk take at most, and whether the zip is whole.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { BROKER, FOUR_ROLES, THREADS } from "./cluster.js";
import { median } from "./median.js";
import { boundBytes } from "./memory-bounds.js";
import type { BenchOptions } from "./options.js";
import { measureRoles, type RolesMeasure } from "./roles-run.js";
import { checkZip } from "./zip-check.js";

const LARGE = 200_000;
const SMALL = 10_000;
const SMALL_ROUNDS = 3;
/** Of a session before the measured one, in the same processes: what an asset costs while the code is still cold is no matter of size. */
const WARM_UP_ASSETS = 3_000;
const TINY = { width: 64, height: 64, decimals: 0, objects: 1 };
/** What an asset of the large session may cost, to one of a small session. */
const AIM = 1.15;
/** What the rows and masks of a session's window may take of the broker's disk; in blocks that NATS empties as a whole. */
const STORE_BYTES = 64e6;

export async function flatBench({ assets = LARGE, rounds = SMALL_ROUNDS }: BenchOptions = {}): Promise<void> {
  const sizes = [Math.min(SMALL, assets), assets];
  console.log(
    `flat: assets of ${TINY.width}x${TINY.height} with one polygon, each role a process of its own on NATS, CONCURRENCY=${THREADS}; of the smaller session the medians of ${rounds} rounds`,
  );
  const measured: RolesMeasure[][] = [];
  let readers: string[] = [];
  for (const [at, size] of sizes.entries()) {
    const measures: RolesMeasure[] = [];
    for (let round = 0; round < (at === 0 ? rounds : 1); round++) {
      const tell = (text: string) => console.error(`  ${text}`);
      const look = async (session: SessionHandle) => {
        readers = await checkArchive(session, size);
      };
      measures.push(await measureRoles({ fixture: { ...TINY, assets: size }, warmUp: WARM_UP_ASSETS, tell, look }));
    }
    measured.push(measures);
  }
  const over = printed(measured);
  console.log(`The zip of ${assets} masks is read whole by ${readers.join(" and ") || "nobody: neither unzip nor python3 is here"}.`);
  if (over.length > 0) throw new Error(`over the bound: ${over.join(", ")}`);
}

/** @returns what is over its bound */
function printed(measured: readonly (readonly RolesMeasure[])[]): string[] {
  const roles = [...Object.keys(FOUR_ROLES), BROKER];
  const over: string[] = [];
  console.log(
    `| assets | seconds | masks/s | processor ms an asset | to the smallest | with the broker's | to the smallest | broker's disk at most MB |`,
  );
  console.log("|---|---|---|---|---|---|---|---|");
  let smallest: { readonly own: number; readonly all: number } | undefined;
  for (const measures of measured) {
    const of = (field: (measure: RolesMeasure) => number) => median(measures.map(field));
    const assets = of((measure) => measure.assets);
    const own = of(({ cpuSeconds }) => (cpuSeconds / assets) * 1000);
    const all = of(({ cpuSeconds, brokerCpuSeconds }) => ((cpuSeconds + brokerCpuSeconds) / assets) * 1000);
    smallest ??= { own, all };
    const cells = [
      assets,
      of(({ seconds }) => seconds).toFixed(1),
      of(({ seconds }) => assets / seconds).toFixed(0),
      own.toFixed(3),
      (own / smallest.own).toFixed(3),
      all.toFixed(3),
      (all / smallest.all).toFixed(3),
      (of(({ storeBytes }) => storeBytes) / 1e6).toFixed(1),
    ];
    console.log(`| ${cells.join(" | ")} |`);
    const store = Math.max(...measures.map(({ storeBytes }) => storeBytes));
    if (store > STORE_BYTES) over.push(`the broker's disk with ${(store / 1e6).toFixed(0)} MB at ${assets} assets`);
    if (all > AIM * smallest.all) over.push(`an asset of ${assets} costs ${(all / smallest.all).toFixed(3)} times one of a small session`);
  }
  console.log();
  console.log(`| assets | peak RSS MB: ${roles.join(" | ")} |`);
  console.log(`|---|${roles.map(() => "---|").join("")}`);
  for (const measures of measured) {
    const assets = measures[0]?.assets ?? 0;
    const peaks = new Map(roles.map((role) => [role, median(measures.map(({ peakBytes }) => peakBytes.get(role) ?? Number.NaN))]));
    console.log(`| ${[assets, ...Array.from(peaks.values(), (bytes) => (bytes / 1e6).toFixed(0))].join(" | ")} |`);
    for (const [role, bytes] of peaks) {
      if (role !== BROKER && bytes > boundBytes(role, assets)) over.push(`${role} with ${(bytes / 1e6).toFixed(0)} MB at ${assets} assets`);
    }
  }
  return over;
}

async function checkArchive(session: SessionHandle, masks: number): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-zip-"));
  try {
    const file = join(folder, "masks.zip");
    await writeFile(file, await session.download());
    return checkZip(file, masks);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
