/**
 * `npm run demo`: the whole pipeline in one process (`maskline all`) against the built-in Hub simulator, a second process, over real
 * sockets, on the shipped sample project. Writes masks.zip and preview.png to out/demo, or to the folder given as argument.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "../project-root.js";
import { readArchive } from "../support/archive.js";
import { type Child, startChild } from "../support/children.js";
import { createOutput } from "./console-output.js";
import { writePreview } from "./preview.js";
import { startSimulator } from "./simulator-child.js";

const LIMIT_MS = 120_000;
const CONFIG = { class_mapping_type: "single_channel_sequential", verbose_frequency: 20 };
const sample = join(projectRoot, "test", "sample-project");
const out = process.argv[2] ?? join(projectRoot, "out", "demo");

const started = Date.now();
const output = createOutput(() => Date.now() - started);

/** The environment of `maskline all`: nothing of the user's own settings but where traces go. */
function environment(hub: { url: string; pluginId: string; pluginSecret: string }, dataFolder: string): Record<string, string | undefined> {
  const tracing = Object.entries(process.env).filter(([name]) => name.startsWith("OTEL_"));
  return {
    ...Object.fromEntries(tracing),
    PATH: process.env.PATH,
    HOST: hub.url,
    PLUGIN_ID: hub.pluginId,
    PLUGIN_SECRET: hub.pluginSecret,
    CONNECTOR: "WS",
    BUS: "memory",
    DATA_DIR: dataFolder,
    LOGLEVEL: "warn",
    HEALTH_PORT: "0",
    GRPC_PORT: "0",
    // Where the simulated Hub keeps the pictures; real ones lie at public addresses.
    FETCH_ALLOW: "127.0.0.0/8",
  };
}

async function download(url: string, file: string, signal: AbortSignal): Promise<number> {
  const answer = await fetch(url, { signal });
  if (answer.status !== 200) throw new Error(`the archive's URL answers ${answer.status}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  await writeFile(file, bytes);
  return bytes.length;
}

/** From the start of the processes to both files; `children` grows as they start. */
async function play(dataFolder: string, children: Child[], signal: AbortSignal): Promise<void> {
  const simulator = startSimulator(sample, output.log);
  children.push(simulator.child);
  const hub = await Promise.race([simulator.ready, simulator.child.ended]);
  output.step(`a simulated Hub listens at ${hub.url}`);

  const maskline = startChild({
    name: "maskline all",
    script: new URL("../../services/main.js", import.meta.url),
    args: ["all"],
    env: environment(hub, dataFolder),
  });
  children.push(maskline);
  const ended = Promise.race([simulator.child.ended, maskline.ended]);
  await Promise.race([simulator.pluginConnected, ended]);
  output.step("the plugin is connected: gateway, filter, rasterizer and packager run in one process");

  output.step(`Run is pressed with the config ${JSON.stringify(CONFIG)}; this is what the user sees:`);
  simulator.run(CONFIG);
  const pressed = Date.now();
  const url = await Promise.race([simulator.archiveUrl, ended]);
  const seconds = (Date.now() - pressed) / 1000;

  await mkdir(out, { recursive: true });
  const archive = join(out, "masks.zip");
  const preview = join(out, "preview.png");
  const bytes = await download(url, archive, signal);
  output.step("the archive is downloaded through its signed URL; painting the preview");
  await writePreview({
    archive,
    imagesFolder: join(sample, "images"),
    exportFile: join(sample, "export.ndjson"),
    projectFile: join(sample, "project.json"),
    out: preview,
  });
  await summarise(archive, preview, bytes, seconds);
}

async function summarise(archive: string, preview: string, bytes: number, seconds: number): Promise<void> {
  const names = [...(await readArchive(archive)).keys()];
  const masks = names.filter((name) => name.endsWith(".png")).length;
  const others = names.filter((name) => !name.endsWith(".png"));
  const shown = (path: string) => relative(process.cwd(), path);
  output.heading(`${masks} masks in ${seconds.toFixed(1)} s`);
  output.result("masks", `${shown(archive)} (${Math.round(bytes / 1000)} kB; beside the masks: ${others.join(", ")})`);
  output.result("preview", shown(preview));
  output.heading("Next");
  output.result("offline", `npm run maskline -- convert ${shown(join(sample, "export.ndjson"))} \\`);
  output.result("", `  --ontology ${shown(join(sample, "project.json"))} --out masks.zip`);
  output.result("real Hub", "HOST=https://... API_HOST=https://... PLUGIN_ID=... PLUGIN_SECRET=... npm run maskline -- all");
  output.result("reading", "README.md for users, ARCHITECTURE.md for the way of one asset");
  process.stdout.write("\n");
}

async function main(): Promise<number> {
  output.heading("Maskline demo: 60 street scenes, from a Hub export to class masks");
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("it was interrupted"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const finished = new AbortController();
  const limit = sleep(LIMIT_MS, undefined, { signal: finished.signal }).then(() => {
    interrupted.abort(new Error(`it took longer than ${LIMIT_MS / 1000} s`));
  });
  limit.catch(() => undefined);
  const aborted = new Promise<never>((_, reject) => {
    interrupted.signal.addEventListener("abort", () => reject(interrupted.signal.reason));
  });

  const dataFolder = await mkdtemp(join(tmpdir(), "maskline-demo-"));
  const children: Child[] = [];
  try {
    await Promise.race([play(dataFolder, children, interrupted.signal), aborted]);
    return 0;
  } catch (error) {
    output.failure(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    finished.abort();
    // The pipeline first, so that it can say goodbye to Hub.
    for (const child of children.toReversed()) await child.stop();
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 3 });
  }
}

process.exitCode = await main();
