/** Runs one task of a worker module in a process of its own, for workers.ts: `node isolated-host.js <module URL>`. */
import { describeError } from "./errors.js";
import type { WorkerStep, WorkerTask } from "./workers.js";

const module = process.argv[2];
if (module === undefined || !process.send) throw new Error("isolated-host is started by workers.ts with a module and a channel");
const { default: step } = (await import(module)) as { default: WorkerStep };

process.once("message", async (task: WorkerTask) => {
  try {
    process.send?.({ result: await step(task) });
  } catch (error) {
    process.send?.({ failure: describeError(error) });
  }
});
