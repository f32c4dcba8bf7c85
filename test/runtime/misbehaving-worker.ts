import type { WorkerResult, WorkerTask } from "../../services/runtime/workers.js";

/** A worker whose input says what it does. */
export default async function step({ input, shared }: WorkerTask): Promise<WorkerResult> {
  const order = Buffer.from(input).toString();
  if (order === "throw") throw new TypeError("this step throws");
  if (order === "reject") return { rejected: { code: "bad_geometry", reason: "a reason" } };
  if (order === "die") process.kill(process.pid, "SIGKILL");
  if (order === "exit") process.exit(3);
  if (order === "tell environment") return say(JSON.stringify(process.env));
  if (order === "hang") await new Promise(() => setInterval(() => undefined, 1000));
  const said = shared ? `${order} ${Buffer.from(shared).toString()}` : order;
  return say(`${said} by ${process.pid}`);
}

function say(text: string): WorkerResult {
  return { outputs: [{ queue: "next", suffix: "/s", body: Buffer.from(text) }] };
}
