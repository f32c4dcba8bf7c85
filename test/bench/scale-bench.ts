/**
 * `npm run bench -- scale`: what 1, 2 and 4 rasterizers do where painting is the bottleneck, every role a process of its own with one worker
 * thread. Throughput is counted from the first tenth of the outcomes to the last one, as the session's user is told them: without start,
 * freezing and zip. A small session comes before.
 */
import { brokersThatAreThere } from "./broker.js";
import { BROKER, startCluster, type Usage } from "./cluster.js";
import { fixtureProject } from "./export-fixture.js";
import { heavyRows } from "./heavy-rows.js";
import { median } from "./median.js";
import type { BenchOptions } from "./options.js";

const ASSETS = 400;
const ROUNDS = 3;
const RASTERIZERS = [1, 2, 4];
const PARTS = 10;
/** For each rasterizer, in a session before: until that has ended, all have come to work. */
const WARM_UP_ASSETS = 20;
const AIM = { rasterizers: 2, times: 1.8 };

interface Measure {
  readonly perSecond: number;
  /** Of the machine's cores, how many were busy with it. */
  readonly cores: { readonly rasterizers: number; readonly services: number; readonly broker: number };
}

export async function scaleBench({ assets = ASSETS, rounds = ROUNDS, buses = ["nats", "kafka"] }: BenchOptions = {}): Promise<void> {
  console.log(
    `scale: ${assets} assets of 3840x2160, a scene that takes a core about 60 ms; from the first tenth of the outcomes to the last, medians of ${rounds} rounds`,
  );
  console.log("| bus | rasterizers | masks/s | to one | cores busy: rasterizers | gateway, filter, packager | broker |");
  console.log("|---|---|---|---|---|---|---|");
  const missed: string[] = [];
  for (const bus of brokersThatAreThere(buses.filter((name) => name !== "memory"))) {
    const measured = new Map(RASTERIZERS.map((rasterizers) => [rasterizers, [] as Measure[]]));
    for (let round = 0; round < rounds; round++) {
      for (const [rasterizers, measures] of measured) measures.push(await measure(bus, rasterizers, assets));
    }
    let one: number | undefined;
    for (const [rasterizers, measures] of measured) {
      const perSecond = median(measures.map((each) => each.perSecond));
      one ??= perSecond;
      const busy = (["rasterizers", "services", "broker"] as const).map((who) =>
        median(measures.map(({ cores }) => cores[who])).toFixed(2),
      );
      console.log(`| ${[bus, rasterizers, perSecond.toFixed(1), (perSecond / one).toFixed(2), ...busy].join(" | ")} |`);
      if (rasterizers === AIM.rasterizers && perSecond < AIM.times * one) missed.push(`${bus}: ${(perSecond / one).toFixed(2)}`);
    }
  }
  if (missed.length > 0) throw new Error(`${AIM.rasterizers} rasterizers should do ${AIM.times} times what one does; ${missed.join(", ")}`);
}

async function measure(bus: "nats" | "kafka", rasterizers: number, assets: number): Promise<Measure> {
  const project = fixtureProject("0123456789abcdef01234501");
  const warmUp = fixtureProject("0123456789abcdef01234502");
  const painters = Array.from({ length: rasterizers }, (_, index) => [`rasterizer-${index + 1}`, "rasterizer"] as const);
  const roles = { gateway: "gateway", filter: "filter", packager: "packager", ...Object.fromEntries(painters) };
  const projects = [
    { project, rows: () => heavyRows(assets) },
    { project: warmUp, rows: () => heavyRows(WARM_UP_ASSETS * rasterizers) },
  ];
  const cluster = await startCluster({ bus, projects, roles, env: { CONCURRENCY: "1" } });
  try {
    await cluster.run(warmUp._id);
    const marks: { readonly assets: number; readonly at: number; readonly usage: Map<string, Usage> }[] = [];
    const onProgress = (done: number) => void marks.push({ assets: done, at: performance.now(), usage: cluster.usage() });
    await cluster.run(project._id, { every: Math.max(1, Math.floor(assets / PARTS)), onProgress });
    const [first, last] = [marks[0], marks.at(-1)];
    if (!first || !last || first === last) throw new Error("the session was over before its progress was told; it needs more assets");
    const seconds = (last.at - first.at) / 1000;
    const busy = (isOne: (name: string) => boolean) => {
      const names = [...last.usage.keys()].filter(isOne);
      const used = names.map((name) => (last.usage.get(name)?.cpuSeconds ?? 0) - (first.usage.get(name)?.cpuSeconds ?? 0));
      return used.reduce((sum, each) => sum + each, 0) / seconds;
    };
    const isRasterizer = (name: string) => name.startsWith("rasterizer");
    return {
      perSecond: (last.assets - first.assets) / seconds,
      cores: {
        rasterizers: busy(isRasterizer),
        services: busy((name) => !isRasterizer(name) && name !== BROKER),
        broker: busy((name) => name === BROKER),
      },
    };
  } finally {
    await cluster.close();
  }
}
