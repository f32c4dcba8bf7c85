/** A real Jaeger on free loopback ports, its traces in memory, for tests: found or built by get-jaeger.mjs. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectRoot } from "../project-root.js";
import { freePort } from "../support/free-port.js";
import { isRequired, skipReason } from "./required.js";

export interface Jaeger {
  /** The environment of a process that sends its spans there. */
  readonly env: Readonly<Record<string, string>>;
  /** The bytes that its query API (v3, https://www.jaegertracing.io/docs/latest/architecture/apis) answers about a trace: OTLP in JSON. */
  trace(id: string): Promise<string>;
  close(): Promise<void>;
}

const START_MS = 60_000;
const KEPT_BYTES = 4_000;

/** None outlives the tests. */
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** The program, or why tests of Jaeger are skipped. */
export function findJaeger(): { readonly program: string } | { readonly skip: string } {
  const script = join(projectRoot, "test", "brokers", "get-jaeger.mjs");
  const args = isRequired("jaeger") ? [script] : [script, "--find"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 ? { program: stdout.trim() } : { skip: skipReason("jaeger", stderr.trim()) };
}

/** Starts it without traces. */
export async function startJaeger(program: string): Promise<Jaeger> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-jaeger-"));
  const ports = { otlp: await freePort(), query: await freePort(), grpc: await freePort() };
  const file = join(folder, "config.yaml");
  await writeFile(file, configuration(ports));
  const child = spawn(program, ["--config", file], { stdio: ["ignore", "ignore", "pipe"], cwd: folder });
  children.add(child);
  child.once("exit", () => children.delete(child));
  let said = "";
  child.stderr?.on("data", (bytes) => {
    said = `${said}${bytes}`.slice(-KEPT_BYTES);
  });
  const close = async () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const url = `http://127.0.0.1:${ports.query}/api/v3`;
  const failed = once(child, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  try {
    for (const end = Date.now() + START_MS; !(await answers(`${url}/services`)); await Promise.race([sleep(50), failed])) {
      if (child.exitCode !== null || Date.now() > end) throw new Error(`${program} does not serve; it said:\n${said}`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${ports.otlp}/v1/traces`, OTEL_BSP_SCHEDULE_DELAY: "50" },
    async trace(id) {
      const answer = await fetch(`${url}/traces/${id}`);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`Jaeger answers ${answer.status}: ${text}`);
      return text;
    },
    close,
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function configuration(ports: Readonly<Record<"otlp" | "query" | "grpc", number>>): string {
  return `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] }
  telemetry:
    metrics: { level: none }
extensions:
  jaeger_query:
    storage: { traces: memory }
    http: { endpoint: "127.0.0.1:${ports.query}" }
    grpc: { endpoint: "127.0.0.1:${ports.grpc}" }
  jaeger_storage:
    backends: { memory: { memory: { max_traces: 1000 } } }
receivers:
  otlp:
    protocols: { http: { endpoint: "127.0.0.1:${ports.otlp}" } }
exporters:
  jaeger_storage_exporter: { trace_storage: memory }
`;
}
