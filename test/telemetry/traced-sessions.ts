/** The sessions whose traces are looked at: a small one without telemetry, then the same and a larger one with it, in one process or in five. */
import { setTimeout as sleep } from "node:timers/promises";
import { observedBus } from "../../services/runtime/telemetry/observed-bus.js";
import { withTelemetry } from "../../services/runtime/telemetry/start.js";
import { startHubSimulator } from "../hub-simulator/server.js";
import { PROJECT, startPipeline } from "../pipeline/pipeline.js";
import { FIVE_PROCESSES, startProcesses } from "../pipeline/processes.js";
import { polygon, row, square } from "../pipeline/rows.js";
import { type ReceivedSpan, startOtlpReceiver } from "./otlp-receiver.js";
import type { LogLine } from "./watched-maskline.js";

export const FEW = 6;
export const MANY = 400;
export const BUDGET = 10;
/** Too large to be painted. */
export const REJECTED = 4;
/** Nobody has labeled it. */
export const SKIPPED = 5;

export interface SeenSession {
  readonly session: string;
  /** What its user reads: `LEVEL text`. */
  readonly lines: readonly string[];
  readonly archive: Buffer;
}

export interface TracedSessions {
  /** Traced nowhere; on the memory bus. */
  readonly untraced: SeenSession;
  readonly few: SeenSession;
  readonly many: SeenSession;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that was sent, as it came. */
  readonly sent: readonly string[];
  /** What each process showed at /metrics after the sessions, by its name; empty where all roles share the test's process. */
  readonly shown: ReadonlyMap<string, string>;
  /** The log of each process. */
  readonly logs: ReadonlyMap<string, readonly LogLine[]>;
}

const PLUGIN = { pluginId: "plugin-1", pluginSecret: "plugin-secret-canary" };
export const CANARIES = ["api-key-canary", "plugin-secret-canary", "grpc-token-canary", "X-Amz-", "Signature", "Bearer"];
/** Few assets of the larger session are traced, and one is too large. */
export const TRACED_SETTINGS = { TRACED_ASSETS: String(BUDGET), IMAGE_PIXEL_LIMIT: "1000000" };
const LONG_MS = 60_000;

export const tracedRows = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    row({
      id: `task-${index}`,
      tools: [polygon("Road", "road", square(index % 9, 1, 4))],
      ...(index === REJECTED ? { size: [100_000, 100_000] as const } : {}),
      ...(index === SKIPPED ? { standing: "untouched" as const } : {}),
    }),
  );

/** The trace that the session's user is told of. */
export function traceIdOf({ lines: [first = ""] }: SeenSession): string {
  const [, id] = /^INFO .* \(trace ([\da-f]{32})\)$/.exec(first) ?? [];
  if (id === undefined) throw new Error(`${JSON.stringify(first)} names no trace`);
  return id;
}

async function sessionInThisProcess(count: number): Promise<SeenSession> {
  const pipeline = await startPipeline({
    rows: tracedRows(count),
    env: TRACED_SETTINGS,
    wrapBus: (memory) => observedBus(memory, { system: "maskline_memory" }),
  });
  try {
    const { handle, lines, bytes } = await pipeline.run();
    if (!bytes) throw new Error(lines.join("\n"));
    return { session: handle.session, lines, archive: bytes };
  } finally {
    await pipeline.close();
  }
}

/** All roles in this process, on the memory bus. */
export async function tracedInThisProcess(): Promise<TracedSessions> {
  const receiver = await startOtlpReceiver();
  const untraced = await sessionInThisProcess(FEW);
  Object.assign(process.env, receiver.env);
  try {
    return await withTelemetry({ role: "all", version: "0.0.0" }, process.env, async () => {
      const few = await sessionInThisProcess(FEW);
      const many = await sessionInThisProcess(MANY);
      return { untraced, few, many, spans: receiver.spans, sent: receiver.bodies, shown: new Map(), logs: new Map() };
    });
  } finally {
    for (const key of Object.keys(receiver.env)) delete process.env[key];
    await receiver.close();
  }
}

/** Each role a process of its own, two of them rasterizers, on a broker that is reached by `env`. */
export async function tracedInProcesses(env: Readonly<Record<string, string>>): Promise<TracedSessions> {
  const untraced = await sessionInThisProcess(FEW);
  const receiver = await startOtlpReceiver();
  try {
    const seen = await inFiveProcesses(
      { ...TRACED_SETTINGS, ...receiver.env, ...env },
      [FEW, MANY].map(tracedRows),
      async ({ session, logs }) => {
        const few = await session(0);
        const many = await session(1);
        return { few, many, shown: await metricsOf(logs), logs };
      },
    );
    return { untraced, ...seen, spans: receiver.spans, sent: receiver.bodies };
  } finally {
    await receiver.close();
  }
}

export interface Fleet {
  /** Runs the session of that export, and waits until Hub is known to have its answer. */
  readonly session: (index: number) => Promise<SeenSession>;
  /** The log of each process, by its name. */
  readonly logs: ReadonlyMap<string, readonly LogLine[]>;
}

/** Works with five processes, which have ended, and have sent what was left, when it resolves. */
export async function inFiveProcesses<T>(
  env: Readonly<Record<string, string>>,
  exports: readonly (readonly object[])[],
  work: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  const projects = exports.map((rows, index) => ({ project: { ...PROJECT, _id: `0123456789abcdef0123456${index}` }, rows }));
  const hub = await startHubSimulator({ projects, ...PLUGIN, apiKey: "api-key-canary", pingInterval: 200 });
  const logs = new Map<string, LogLine[]>(Object.keys(FIVE_PROCESSES).map((name) => [name, []]));
  const hear = (name: string, line: string) => logs.get(name)?.push(line.startsWith("{") ? JSON.parse(line) : { msg: line });
  const processes = await startProcesses(FIVE_PROCESSES, hub, PLUGIN, { LOGLEVEL: "debug", ...env }, hear);
  try {
    await Promise.race([hub.waitForPlugin(LONG_MS), processes.broken]);
    const session = async (index: number): Promise<SeenSession> => {
      const handle = await hub.run({ projectId: projects[index]?.project._id ?? "", stage: [], configJSON: "{}" });
      const result = await Promise.race([handle.result, processes.broken]);
      const lines = handle.logs.map(({ level, msg }) => `${level} ${msg}`);
      if (!result.export) throw new Error(lines.join("\n"));
      await confirmed(handle.session, logs.get("gateway") ?? []);
      return { session: handle.session, lines, archive: await handle.download() };
    };
    return await work({ session, logs });
  } finally {
    await processes.close();
    await hub.close();
  }
}

/** The span of telling Hub ends a moment after Hub was told. */
async function confirmed(session: string, gateway: readonly LogLine[]): Promise<void> {
  const told = () => gateway.some((line) => line.msg === "Hub has the session's answer" && line.session === session);
  for (const end = Date.now() + LONG_MS; !told(); await sleep(5)) if (Date.now() > end) throw new Error(`Hub has no answer of ${session}`);
}

async function metricsOf(logs: ReadonlyMap<string, readonly LogLine[]>): Promise<ReadonlyMap<string, string>> {
  const shown = new Map<string, string>();
  for (const [name, lines] of logs) {
    const port = lines.find(({ msg }) => msg === "started")?.healthPort;
    shown.set(name, await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  }
  return shown;
}
