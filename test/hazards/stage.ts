/**
 * All services in this process against the Hub simulator, on either connector, with faults for one session and not for the others: each
 * trial is a project of its own, with its own user and key, so that many of them can be under way at once.
 */

import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeError } from "../../services/runtime/errors.js";
import type { RowSource } from "../hub-simulator/export-zip.js";
import type { Fault, RequestName } from "../hub-simulator/http-answers.js";
import type { SimulatedProject } from "../hub-simulator/rest.js";
import { type HubEvent, type HubSimulator, type RunOptions, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { PROJECT } from "../pipeline/pipeline.js";
import { polygon, row, square } from "../pipeline/rows.js";
import { type Archive, readArchiveBytes } from "../support/archive.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { type ConnectorName, type RunningServices, type ServicesOptions, startServices } from "./services.js";

export const PLUGIN = { pluginId: "plugin-1", pluginSecret: "plugin-secret-canary" };

/** Waits in tests end as soon as what they wait for is there; on a busy machine that may take. */
export const PATIENCE_MS = 30_000;

export interface StageOptions extends Omit<ServicesOptions, "hub" | "dataDir" | "onLine" | "port" | "pluginId" | "pluginSecret"> {
  readonly onEvent?: (event: HubEvent) => void;
  readonly urlLifetime?: () => number;
}

/** A request of one trial. */
export interface TrialRequest {
  readonly name: RequestName;
  /** Which one of its name, from 1. */
  readonly nth: number;
  readonly request: IncomingMessage;
}

type FaultOf = (request: TrialRequest) => Fault | undefined | Promise<Fault | undefined>;

export interface TrialOptions {
  readonly rows?: RowSource;
  /** A zip that is served as it is. */
  readonly exportFile?: string;
  readonly project?: object;
  readonly fault?: FaultOf;
}

export interface Trial {
  readonly projectId: string;
  readonly apiKey: string;
  /** Requests of this project so far. */
  readonly requests: readonly RequestName[];
  /** Presses Run. */
  press(run?: Partial<RunOptions>): Promise<SessionHandle>;
  /** Presses Run and waits for the result. */
  run(run?: Partial<RunOptions>): Promise<Ended>;
}

export interface Ended {
  readonly handle: SessionHandle;
  /** Every line the user saw: `LEVEL text`. */
  readonly lines: readonly string[];
  /** From Run to the result. */
  readonly tookMs: number;
  /** Undefined when the session ended with an error. */
  readonly archive: Archive | undefined;
}

export interface Stage {
  readonly connector: ConnectorName;
  readonly hub: HubSimulator;
  readonly dataDir: string;
  /** Every session that was run, once. */
  readonly sessions: ReadonlySet<SessionHandle>;
  /** What all services logged, at debug. */
  readonly lines: readonly string[];
  /** Where Hub calls the gateway, on the REST connector. */
  readonly pluginServer: string | undefined;
  trial(options?: TrialOptions): Trial;
  stopServices(): Promise<void>;
  /** On the same folder. */
  startServices(): Promise<void>;
  close(): Promise<void>;
}

export const ROWS = ["a", "b", "c"].map((id) => row({ id, tools: [polygon("Road", "road", square(1, 1, 4))] }));

const PROJECT_ID = /[0-9a-f]{16}[0-9]{8}/;

export async function openStage(options: StageOptions): Promise<Stage> {
  const { connector } = options;
  const projects: SimulatedProject[] = [];
  const trials = new Map<string, { readonly fault: FaultOf | undefined; readonly requests: RequestName[] }>();
  const onRequest = (name: RequestName, request: IncomingMessage) => {
    const id = PROJECT_ID.exec(`${request.headers.apikey ?? ""} ${request.url ?? ""}`)?.[0] ?? "";
    const trial = trials.get(id);
    trial?.requests.push(name);
    return trial?.fault?.({ name, nth: trial.requests.filter((other) => other === name).length, request });
  };
  const hub = await startHubSimulator({
    projects,
    ...PLUGIN,
    apiKey: "nobody's key",
    pingInterval: 100,
    faults: { onRequest, urlLifetime: options.urlLifetime },
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
  });
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-hazards-"));
  const lines: string[] = [];
  const sessions = new Set<SessionHandle>();
  // Chosen by the first start, and kept, as an installation's is.
  let port = 0;
  let services: RunningServices | undefined;
  const start = async (): Promise<void> => {
    services = await startServices({ ...options, ...PLUGIN, hub: hub.url, dataDir, onLine: (line) => lines.push(line), port });
    port = services.port;
  };
  const stage: Stage = {
    ...{ connector, hub, dataDir, lines, sessions },
    get pluginServer() {
      return connector === "REST" ? `http://127.0.0.1:${port}` : undefined;
    },
    trial({ rows = ROWS, exportFile, project, fault } = {}) {
      const projectId = `64aa00000000beef${String(projects.length).padStart(8, "0")}`;
      const apiKey = `key-canary-${projectId}`;
      const served = exportFile === undefined ? { rows } : { exportFile };
      projects.push({ project: { ...PROJECT, ...project, _id: projectId }, apiKey, ...served });
      const requests: RequestName[] = [];
      trials.set(projectId, { fault, requests });
      const press = async (run: Partial<RunOptions> = {}) => {
        const { pluginServer } = stage;
        const handle = await hub.run({ projectId, stage: [], ...(pluginServer === undefined ? {} : { pluginServer }), ...run });
        sessions.add(handle);
        return handle;
      };
      return { projectId, apiKey, requests, press, run: async (run) => ended(await press(run)) };
    },
    async stopServices() {
      await services?.stop();
      services = undefined;
    },
    startServices: start,
    async close() {
      await stage.stopServices();
      await hub.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };

  try {
    await start();
  } catch (error) {
    await stage.close();
    throw new Error(`the stage could not be opened: ${describeError(error)}`, { cause: error });
  }
  return stage;
}

async function ended(handle: SessionHandle): Promise<Ended> {
  const startedAt = performance.now();
  const result = await inTime(handle);
  const tookMs = performance.now() - startedAt;
  const archive = result.export ? await readArchiveBytes(await handle.download()) : undefined;
  return { handle, lines: linesOf(handle), tookMs, archive };
}

export const linesOf = (handle: SessionHandle) => handle.logs.map(({ level, msg }) => `${level} ${msg}`);

/** The result, or an error that shows what the user saw until then. */
export async function inTime(handle: SessionHandle): Promise<Awaited<SessionHandle["result"]>> {
  await eventuallyHolds(() => {
    if (handle.results.length === 0) throw new Error(`no result of the session; its log:\n${linesOf(handle).join("\n")}`);
  }, PATIENCE_MS);
  return handle.result;
}

/** Something that a test opens when it is time. */
export function createGate(): { readonly opened: Promise<undefined>; open(): void } {
  let open = () => {};
  const opened = new Promise<undefined>((resolve) => {
    open = () => resolve(undefined);
  });
  return { opened, open: () => open() };
}
