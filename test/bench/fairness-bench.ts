/**
 * `npm run bench -- fairness`: a session of 10 assets, from Run to its answer, alone and while one of 20,000 runs. It may take twice as long
 * and a second.
 */
import { availableParallelism } from "node:os";
import { BUS_NAMES, type BusName, brokersThatAreThere } from "./broker.js";
import { type Cluster, startCluster, THREADS } from "./cluster.js";
import { fixtureProject, fixtureRows } from "./export-fixture.js";
import { median } from "./median.js";
import type { BenchOptions } from "./options.js";

const SMALL_ASSETS = 10;
const LARGE_ASSETS = 20_000;
const ROUNDS = 5;
const FIXTURE = { width: 1920, height: 1080, decimals: 1, objects: 15 };
/** Hub keeps one export file a project: in a project of its own, the small session does not wait for the large one's. */
const SMALL = fixtureProject("0123456789abcdef01234501");
const LARGE = fixtureProject("0123456789abcdef01234502");
/** The large session is well under way with so many done. */
const UNDER_WAY = 0.05;

export async function fairnessBench({ assets = LARGE_ASSETS, rounds = ROUNDS, buses = BUS_NAMES }: BenchOptions = {}): Promise<void> {
  console.log(
    `fairness: a session of ${SMALL_ASSETS} assets of 1920x1080 alone, and beside one of ${assets}; from Run to its answer, ${rounds} times each`,
  );
  console.log("| bus | alone s (median) | beside s (median) | beside s (longest) | allowed s | the large one's masks/s |");
  console.log("|---|---|---|---|---|---|");
  const unfair: string[] = [];
  for (const bus of brokersThatAreThere(buses)) {
    const { alone, beside, perSecond } = await measure(bus, assets, rounds);
    const allowed = 2 * median(alone) + 1;
    const cells = [median(alone), median(beside), Math.max(...beside), allowed].map((seconds) => seconds.toFixed(2));
    console.log(`| ${[bus, ...cells, perSecond.toFixed(0)].join(" | ")} |`);
    if (median(beside) > allowed) unfair.push(bus);
  }
  if (unfair.length > 0)
    throw new Error(`a small session takes more than twice its time and a second beside a large one on ${unfair.join(", ")}`);
}

async function measure(bus: BusName, assets: number, rounds: number) {
  const projects = [
    { project: SMALL, rows: () => fixtureRows({ ...FIXTURE, assets: SMALL_ASSETS }) },
    { project: LARGE, rows: () => fixtureRows({ ...FIXTURE, assets }) },
  ];
  const cluster = await startCluster({ bus, projects, env: { CONCURRENCY: String(bus === "memory" ? availableParallelism() : THREADS) } });
  try {
    // The first one finds everything cold.
    await smallSessions(cluster, 1);
    const alone = await smallSessions(cluster, rounds);
    let underWay: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      underWay = resolve;
    });
    let ended = false;
    const large = cluster.run(LARGE._id, { every: Math.ceil(assets * UNDER_WAY), onProgress: underWay }).finally(() => {
      ended = true;
    });
    await Promise.race([reached, large]);
    const beside = await smallSessions(cluster, rounds);
    if (ended) throw new Error(`the session of ${assets} assets ended before the small ones; it needs more assets`);
    const { acceptedAt, answeredAt } = await large;
    return { alone, beside, perSecond: (assets / (answeredAt - acceptedAt)) * 1000 };
  } finally {
    await cluster.close();
  }
}

/** One after the other. @returns the seconds of each */
async function smallSessions(cluster: Cluster, times: number): Promise<number[]> {
  const seconds: number[] = [];
  for (let time = 0; time < times; time++) {
    const { pressedAt, answeredAt } = await cluster.run(SMALL._id);
    seconds.push((answeredAt - pressedAt) / 1000);
  }
  return seconds;
}
