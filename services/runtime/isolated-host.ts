/** Runs the tasks of a worker module in a process of its own, for isolated.ts: `node isolated-host.js <module URL>`. */
import { describeError } from "./errors.js";
import type { HostAnswer } from "./isolated.js";
import type { WorkerStep, WorkerTask } from "./workers.js";

const module = process.argv[2];
if (module === undefined || !process.send) throw new Error("isolated-host is started by isolated.ts with a module and a channel");
const { default: step } = (await import(module)) as { default: WorkerStep };

process.on("message", async (task: WorkerTask) => process.send?.(await answerTo(task)));
// Whoever asked is gone, and a step may be waiting for ever.
process.once("disconnect", () => process.exit());

async function answerTo(task: WorkerTask): Promise<HostAnswer> {
  try {
    return { result: await step(task) };
  } catch (error) {
    return { failure: describeError(error) };
  }
}
