/**
 * The simulated Hub as a program:
 *
 *     node dist/test/hub-simulator/main.js --project test/sample-project [--port 0] [--plugin-id x --plugin-secret x --api-key x]
 *
 * The project's folder holds project.json, export.ndjson and images/. Prints JSON lines: `{"ready": {...}}`, then one for every event.
 * Reads JSON lines: `{"run": {"configJSON": {...}, "stage": [...], "batches": [...], "session": "..."}}`, `{"cut": "tcp"}`, `{"close": true}`.
 * Ends when its standard input ends, or on SIGTERM.
 *
 * In containers: `--listen 0.0.0.0 --public-url http://hub:3000 --commands-port 3001` serves others, and takes commands on that port in place
 * of standard input; every connection is told all events from then on (press-run.ts).
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { isObject } from "./contract.js";
import type { HubProject } from "./rest.js";
import { type HubSimulator, startHubSimulator } from "./server.js";

/** Connections of the commands' port. */
const listeners = new Set<Socket>();

function print(line: object): void {
  const text = `${JSON.stringify(line)}\n`;
  process.stdout.write(text);
  for (const listener of listeners) listener.write(text);
}

async function readProject(folder: string): Promise<HubProject> {
  const file = join(folder, "project.json");
  const project: unknown = JSON.parse(await readFile(file, "utf8"));
  if (!isObject(project) || typeof project._id !== "string") throw new Error(`${file} is not a project: it has no _id`);
  return { ...project, _id: project._id } as HubProject;
}

const textList = (value: unknown) => (Array.isArray(value) ? value.map(String) : undefined);

async function press(simulator: HubSimulator, projectId: string, run: Record<string, unknown>): Promise<void> {
  const { configJSON } = run;
  const stage = textList(run.stage);
  const batches = textList(run.batches);
  const { session } = await simulator.run({
    projectId,
    configJSON: typeof configJSON === "string" ? configJSON : JSON.stringify(configJSON ?? {}),
    ...(stage ? { stage } : {}),
    ...(batches ? { batches } : {}),
    ...(typeof run.session === "string" ? { session: run.session } : {}),
  });
  print({ started: { session } });
}

/** One command. Returns whether the simulator is to end. */
async function obey(line: string, simulator: HubSimulator, projectId: string): Promise<boolean> {
  try {
    const command: unknown = JSON.parse(line);
    if (!isObject(command)) throw new Error("a command is an object");
    if (command.close === true) return true;
    if (isObject(command.run)) await press(simulator, projectId, command.run);
    else if (command.cut === "tcp" || command.cut === "namespace" || command.cut === "clean") simulator.cutSockets(command.cut);
    else throw new Error('commands: {"run": {...}}, {"cut": "tcp" | "namespace" | "clean"}, {"close": true}');
  } catch (error) {
    print({ failed: { command: line, reason: error instanceof Error ? error.message : String(error) } });
  }
  return false;
}

/** Commands of anybody who connects, one at a time. */
function serveCommands(host: string, port: number, onLine: (line: string) => Promise<void>): Promise<Server> {
  const server = createServer((socket) => {
    listeners.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => listeners.delete(socket));
    createInterface({ input: socket }).on("line", onLine);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      project: { type: "string" },
      port: { type: "string", default: "0" },
      listen: { type: "string", default: "127.0.0.1" },
      "public-url": { type: "string" },
      "commands-port": { type: "string" },
      "plugin-id": { type: "string", default: randomBytes(12).toString("hex") },
      "plugin-secret": { type: "string", default: randomBytes(16).toString("hex") },
      "api-key": { type: "string", default: randomBytes(16).toString("hex") },
    },
  });
  if (values.project === undefined) throw new Error("--project is missing: the folder with project.json, export.ndjson and images/");
  const [pluginId, pluginSecret] = [values["plugin-id"], values["plugin-secret"]];
  const project = await readProject(values.project);
  const simulator = await startHubSimulator({
    projects: [{ project, exportFile: join(values.project, "export.ndjson"), images: join(values.project, "images") }],
    pluginId,
    pluginSecret,
    apiKey: values["api-key"],
    port: Number(values.port),
    host: values.listen,
    publicUrl: values["public-url"],
    onEvent: print,
  });

  let closing = false;
  const close = async () => {
    if (closing) return;
    closing = true;
    await simulator.close();
    process.exit(0);
  };
  process.on("SIGTERM", close);
  process.on("SIGINT", close);
  const finish = async (line: string) => {
    if (await obey(line, simulator, project._id)) await close();
  };
  const commandsPort = values["commands-port"];
  if (commandsPort !== undefined) await serveCommands(values.listen, Number(commandsPort), finish);
  print({ ready: { url: simulator.url, projectId: project._id, pluginId, pluginSecret } });
  if (commandsPort !== undefined) return;
  for await (const line of createInterface({ input: process.stdin })) await finish(line);
  await close();
}

main().catch((error: unknown) => {
  process.stderr.write(`hub-simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
