/**
 * `npm run trace`: runs a session through five processes on NATS that send their spans to Jaeger, asks Jaeger for the session's trace, and
 * draws what it answers: docs/trace.svg. Needs nats-server and Jaeger (test/brokers/get-nats.mjs, get-jaeger.mjs).
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findBroker } from "../bench/broker.js";
import { findJaeger, startJaeger } from "../brokers/jaeger.js";
import { projectRoot } from "../project-root.js";
import { drawTrace } from "./draw-trace.js";
import { spansFromJaeger } from "./jaeger-trace.js";
import { Trace } from "./otlp-receiver.js";
import { FEW, inFiveProcesses, TRACED_SETTINGS, tracedRows, traceIdOf } from "./traced-sessions.js";

/** Two with a mask, one that is rejected, one that is skipped. */
const ASSETS = tracedRows(FEW).slice(-4);

const found = { nats: findBroker("nats"), jaeger: findJaeger() };
if ("skip" in found.nats || "skip" in found.jaeger) {
  console.error("skip" in found.nats ? found.nats.skip : "skip" in found.jaeger && found.jaeger.skip);
  process.exit(1);
}
const nats = await found.nats.start();
const jaeger = await startJaeger(found.jaeger.program);
try {
  const env = { ...TRACED_SETTINGS, ...nats.env, ...jaeger.env };
  // The first one finds everything cold.
  const seen = await inFiveProcesses(env, [ASSETS, ASSETS], async ({ session }) => {
    await session(0);
    return session(1);
  });
  const id = traceIdOf(seen);
  const trace = new Trace(await spansFromJaeger(jaeger, id));
  const file = join(projectRoot, "docs", "trace.svg");
  await writeFile(file, drawTrace(trace, `A session of ${ASSETS.length} assets in five processes on NATS: trace ${id}, as Jaeger has it`));
  console.log(`${file}: ${trace.spans.length} spans`);
} finally {
  await jaeger.close();
  await nats.close();
}
