/** The same sessions, whose spans went to a real Jaeger, as it gives them back. */
import { findBroker } from "../bench/broker.js";
import { findJaeger, startJaeger } from "../brokers/jaeger.js";
import { spansFromJaeger } from "./jaeger-trace.js";
import { traceBehaviours } from "./trace-behaviours.js";
import { tracedInProcesses, traceIdOf } from "./traced-sessions.js";

const found = [findBroker("nats"), findJaeger()] as const;
const [nats, jaeger] = found;
const missing = found.flatMap((one) => ("skip" in one ? [one.skip] : []));

traceBehaviours("nats, asked from Jaeger", {
  system: "nats",
  serviceOf: (role) => `maskline-${role}`,
  skip: missing.length > 0 ? missing.join("; ") : false,
  async run() {
    if ("skip" in nats || "skip" in jaeger) throw new Error(missing.join("; "));
    const broker = await nats.start();
    try {
      const running = await startJaeger(jaeger.program);
      try {
        const sessions = await tracedInProcesses({ ...broker.env, ...running.env });
        const traces = [sessions.few, sessions.many].map((session) => spansFromJaeger(running, traceIdOf(session)));
        return { ...sessions, spans: (await Promise.all(traces)).flat() };
      } finally {
        await running.close();
      }
    } finally {
      await broker.close();
    }
  },
});
