/** The whole pipeline for tests: `maskline all` in this process, over real sockets, against the Hub simulator. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAll } from "../../services/all.js";
import type { Blobs } from "../../services/runtime/blob/blob.js";
import { createFileBlobs } from "../../services/runtime/blob/file.js";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { claimCheck, DEFAULT_INLINE_BYTES } from "../../services/runtime/bus/claim-check.js";
import { createMemoryBus } from "../../services/runtime/bus/memory.js";
import { readConfig } from "../../services/runtime/config.js";
import { createLogger } from "../../services/runtime/log.js";
import { allKeys, liveGatewaySettings, workSettings } from "../../services/settings.js";
import type { RowSource } from "../hub-simulator/export-zip.js";
import { type HubSimulator, type RunOptions, startHubSimulator } from "../hub-simulator/server.js";
import type { SessionHandle } from "../hub-simulator/sessions.js";
import { type Archive, readArchiveBytes } from "../support/archive.js";

export interface PipelineOptions {
  readonly rows: RowSource;
  readonly project?: object;
  /** Images by name, which the assets' URLs lead to. */
  readonly images?: Readonly<Record<string, Buffer>>;
  /** Environment variables of the services. */
  readonly env?: Readonly<Record<string, string>>;
  readonly wrapBus?: (bus: Bus) => Bus;
  /** Where large bodies go, in place of a folder; and how large one is. */
  readonly blobs?: Blobs;
  readonly inlineBytes?: number;
  /** The address that filter and packager dial, given the gateway's. */
  readonly dial?: (address: string) => string;
}

export interface Pipeline {
  readonly hub: HubSimulator;
  readonly projectId: string;
  /** Presses Run and waits for the result. */
  run(config?: object | string | null, options?: Partial<RunOptions>): Promise<Finished>;
  /** Presses Run. */
  press(config?: object | string | null, options?: Partial<RunOptions>): Promise<SessionHandle>;
  close(): Promise<void>;
}

export interface Finished {
  readonly handle: SessionHandle;
  /** Undefined when the session ended with an error. */
  readonly archive: Archive | undefined;
  readonly bytes: Buffer | undefined;
  /** Every line the user saw: `LEVEL text`. */
  readonly lines: readonly string[];
}

const PLUGIN = { pluginId: "plugin-1", pluginSecret: "plugin-secret-canary" };

export const PROJECT = {
  _id: "0123456789abcdef01234567",
  name: "Street life",
  categorySchema: {
    tools: [
      { schemaId: "road", title: "Road", tool: "polygon", color: "#804080" },
      { schemaId: "car", title: "Car", tool: "segmentation", color: "#00008e" },
      { schemaId: "tree", title: "Tree", tool: "polygon", color: "#6b8e23" },
      { schemaId: "box", title: "Box", tool: "bounding-box", color: "#ffffff" },
    ],
  },
  stages: [
    { id: "Start", name: "Start", type: "Start" },
    { id: "label-stage", name: "Labeling", type: "Label" },
    { id: "review-stage", name: "Quality", type: "Review" },
    { id: "Complete", name: "Complete", type: "Complete" },
  ],
  batches: [
    { _id: "b1", name: "north" },
    { _id: "b2", name: "south" },
  ],
};

/** Starts both ends; with small machines in mind, one worker of each kind unless the environment says otherwise. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const project = { ...PROJECT, ...options.project };
  const hub = await startHubSimulator({
    projects: [{ project, rows: options.rows, images: options.images ?? {} }],
    ...PLUGIN,
    apiKey: "api-key-canary",
    pingInterval: 200,
  });
  const dataDir = await mkdtemp(join(tmpdir(), "maskline-pipeline-"));
  const env = {
    HOST: hub.url,
    PLUGIN_ID: PLUGIN.pluginId,
    PLUGIN_SECRET: PLUGIN.pluginSecret,
    CONCURRENCY: "1",
    DATA_DIR: dataDir,
    PACKAGER_ID: "p1",
  };
  const config = readConfig(allKeys, { ...env, ...options.env });
  const log = createLogger("silent");
  const blobs = options.blobs ?? (await createFileBlobs(join(dataDir, "blobs")));
  const memory = createMemoryBus({ maxMessages: 512, maxBytes: 2 ** 25 });
  const bus = claimCheck(options.wrapBus?.(memory) ?? memory, blobs, { inlineBytes: options.inlineBytes ?? DEFAULT_INLINE_BYTES, log });
  const services = await startAll(
    {
      bus,
      blobs,
      log,
      onFatal: (error) => {
        throw error;
      },
    },
    {
      gateway: liveGatewaySettings(config, { volatileBus: true, log }),
      grpcPort: 0,
      ...workSettings(config, { allowFileTargets: false }),
      ...(options.dial ? { dial: options.dial } : {}),
    },
  );

  const press = (config: object | string | null = {}, run: Partial<RunOptions> = {}) => {
    const configJSON = typeof config === "string" || config === null ? config : JSON.stringify(config);
    return hub.run({ projectId: project._id, configJSON, stage: [], ...run });
  };
  return {
    hub,
    projectId: project._id,
    press,
    async run(config, run) {
      const handle = await press(config, run);
      const result = await handle.result;
      const bytes = result.export ? await handle.download() : undefined;
      return {
        handle,
        bytes,
        archive: bytes && (await readArchiveBytes(bytes)),
        lines: handle.logs.map(({ level, msg }) => `${level} ${msg}`),
      };
    },
    async close() {
      await services.stop();
      await bus.close();
      await hub.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
