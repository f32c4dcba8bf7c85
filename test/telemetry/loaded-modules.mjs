// Preloaded into a process: tells its last line on standard error which OpenTelemetry packages it has loaded, in any of its threads.
import { createRequire } from "node:module";
import { threadId } from "node:worker_threads";

const { cache } = createRequire(import.meta.url);
process.on("exit", () => {
  const loaded = Object.keys(cache).filter((file) => file.includes("@opentelemetry"));
  process.stderr.write(`${JSON.stringify({ threadId, openTelemetry: loaded.length })}\n`);
});
