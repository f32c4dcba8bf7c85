/** A process for lifecycle.test.ts: `node a-process.js <what it does> <health port>`. Something in it never stops by itself. */
import { endWith } from "../../services/end.js";
import { runProcess } from "../../services/runtime/lifecycle.js";
import { createLogger } from "../../services/runtime/log.js";
import type { Service } from "../../services/runtime/service.js";

const running: Service = { notReady: () => undefined, stop: async () => undefined };
const starts: Readonly<Record<string, () => Promise<Service>>> = {
  runs: async () => running,
  "fails to start": () => Promise.reject(new Error("half of it has started")),
  "starts for ever": () => new Promise(() => undefined),
};

const start = starts[process.argv[2] ?? ""];
if (!start) throw new Error(`give one of ${Object.keys(starts).join(", ")}`);
setInterval(() => undefined, 1_000);
await endWith(() => runProcess({ log: createLogger("info"), healthPort: Number(process.argv[3]), drainMs: 0, start }));
