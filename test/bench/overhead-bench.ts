/**
 * `npm run bench -- overhead`: what tracing and metrics cost. Sessions through `maskline all`, off and on in turns, each pair the other way
 * round than the one before, for whatever else the machine does falls on both; the median over the pairs counts. Metrics are recorded in
 * "off" too, as they always are, so their recording is measured by itself and added.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFixture } from "./export-fixture.js";
import { median } from "./median.js";
import { measureSession, type SessionMeasure } from "./pipeline-run.js";
import { recordingCost } from "./recording-cost.js";

const ASSETS = 10_000;
const PAIRS = 9;
/** Of all assets traced: nobody is held to it. */
const ALL_TRACED = 3;
/** Share of the processor time, and of the time to the answer. */
const ALLOWED = 0.03;

interface Pair {
  readonly off: SessionMeasure;
  readonly on: SessionMeasure;
}

export async function overheadBench(assets = ASSETS, pairs = PAIRS): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-fixture-"));
  const collector = await startCollector();
  try {
    await writeFixture(folder, { assets, width: 1920, height: 1080, decimals: 1, objects: 15 });
    // A session of ten seconds would send its metrics but once.
    const on = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_METRIC_EXPORT_INTERVAL: "2000" };
    const measure = (env: Readonly<Record<string, string>>) => measureSession(folder, assets, env);
    // The first one finds everything cold.
    await measure({});
    const measured: Pair[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Whichever is second finds the machine as the first one left it.
      const onFirst = pair % 2 === 1 ? await measure(on) : undefined;
      const off = await measure({});
      measured.push({ off, on: onFirst ?? (await measure(on)) });
    }
    const all: SessionMeasure[] = [];
    for (let round = 0; round < ALL_TRACED; round++) all.push(await measure({ ...on, TRACED_ASSETS: String(assets) }));
    report(assets, measured, all, await recordingCost(), collector.received());
  } finally {
    await collector.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Error when it costs more than it may */
function report(assets: number, pairs: readonly Pair[], all: readonly SessionMeasure[], recordingSeconds: number, exports: number): void {
  const off = pairs.map((pair) => pair.off);
  const on = pairs.map((pair) => pair.on);
  console.log(`overhead: ${assets} assets of 1920x1080, ${pairs.length} pairs; ${exports} exports arrived`);
  console.log("| telemetry, medians | processor s | masks/s | peak RSS MB |");
  console.log("|---|---|---|---|");
  for (const [name, measures] of [
    ["off", off],
    ["on, 40 assets traced", on],
    [`on, all assets traced (${all.length} rounds)`, all],
  ] as const) {
    const of = (field: (measure: SessionMeasure) => number) => median(measures.map(field));
    const cells = [of(({ cpuSeconds }) => cpuSeconds).toFixed(2), of(({ seconds }) => assets / seconds).toFixed(0)];
    console.log(`| ${[name, ...cells, (of(({ peakBytes }) => peakBytes) / 1e6).toFixed(0)].join(" | ")} |`);
  }
  // In "off" it is there as well; on one core of several it is the main thread's time.
  const recording = (recordingSeconds * assets) / median(off.map(({ cpuSeconds }) => cpuSeconds));
  console.log(
    `\nrecording metrics, which is never off: ${(recordingSeconds * 1e6).toFixed(1)} us an asset, ${percent(recording)} of the processor time`,
  );
  const costs = {
    "processor time": pairs.map((pair) => pair.on.cpuSeconds / pair.off.cpuSeconds - 1),
    "time to the answer": pairs.map((pair) => pair.on.seconds / pair.off.seconds - 1),
  };
  for (const [name, ratios] of Object.entries(costs)) {
    const sorted = [...ratios].sort((a, b) => a - b);
    const spread = `${percent(sorted[0])} to ${percent(sorted.at(-1))}`;
    console.log(
      `on against off, ${name}: ${percent(median(ratios))} (pairs from ${spread}); with the recording: ${percent(median(ratios) + recording)}`,
    );
  }
  const tooMuch = Object.entries(costs).filter(([, ratios]) => median(ratios) + recording > ALLOWED);
  if (tooMuch.length > 0)
    throw new Error(`tracing and metrics cost more than ${percent(ALLOWED)} of the ${tooMuch.map(([name]) => name).join(" and the ")}`);
}

function percent(share = Number.NaN): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Takes whatever is sent, and looks at none of it. */
async function startCollector() {
  let received = 0;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      received += 1;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
