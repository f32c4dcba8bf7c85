/**
 * `npm run bench -- overhead`: what tracing and exported metrics cost. Sessions of 4,000 assets through `maskline all`, off and on in turns, for whatever
 * else the machine does falls on both; medians of processor time and of masks a second.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFixture } from "./export-fixture.js";
import { median } from "./median.js";
import { measureSession, type SessionMeasure } from "./pipeline-run.js";

const ASSETS = 4_000;
const ROUNDS = 7;

export async function overheadBench(assets = ASSETS, rounds = ROUNDS): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-fixture-"));
  const collector = await startCollector();
  try {
    await writeFixture(folder, { assets, width: 1920, height: 1080, decimals: 1, objects: 15 });
    const ways = {
      off: {},
      "on, 40 assets traced": { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
      "on, all assets traced": { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, TRACED_ASSETS: "1000000" },
    };
    const measured = new Map<string, SessionMeasure[]>(Object.keys(ways).map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, env] of Object.entries(ways)) measured.get(name)?.push(await measureSession(folder, assets, env));
    }
    console.log(`overhead: ${assets} assets of 1920x1080, medians of ${rounds} rounds; ${collector.received()} exports arrived`);
    console.log("| telemetry | processor s | against off | masks/s | against off | peak RSS MB |");
    console.log("|---|---|---|---|---|---|");
    const of = (name: string, field: (measure: SessionMeasure) => number) => median((measured.get(name) ?? []).map(field));
    const against = (value: number, off: number) => `${value >= off ? "+" : ""}${((value / off - 1) * 100).toFixed(1)} %`;
    for (const name of Object.keys(ways)) {
      const cpu = of(name, ({ cpuSeconds }) => cpuSeconds);
      const rate = of(name, ({ seconds }) => assets / seconds);
      const cells = [
        ...[
          name,
          cpu.toFixed(2),
          against(
            cpu,
            of("off", ({ cpuSeconds }) => cpuSeconds),
          ),
        ],
        ...[
          rate.toFixed(0),
          against(
            rate,
            of("off", ({ seconds }) => assets / seconds),
          ),
        ],
        (of(name, ({ peakBytes }) => peakBytes) / 1e6).toFixed(0),
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  } finally {
    await collector.close();
    await rm(folder, { recursive: true, force: true });
  }
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
