/** A gateway on a temporary folder, with a Hub, a bus and packagers that live in the test. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Gateway, startGateway } from "../../services/gateway/main.js";
import type { GatewayOptions } from "../../services/gateway/options.js";
import { defaultTiming } from "../../services/gateway/timing.js";
import type { Bus, OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { createLogger } from "../../services/runtime/log.js";
import { createFakeHub, type FakeHub } from "./fake-hub.js";
import { FakePackager } from "./fake-packager.js";

const TOKEN = "test-token";
const WAIT_MS = 10_000;

/** Hours become fractions of a second. */
const quick = { ...defaultTiming, stall: 300, silence: 60_000, inSync: 2_000, tick: 20, positionEvery: 5, firstPause: 5, longestPause: 20 };

export interface Stage {
  readonly hub: FakeHub;
  readonly gateway: Gateway;
  readonly folder: string;
  /** Everything published, in order. */
  readonly published: OutgoingMessage[];
  readonly packagers: FakePackager[];
  /** What the blob store says it has. */
  readonly storedBlobs: { readonly run: string; readonly youngestMs: number }[];
  readonly erasedBlobs: string[];
  readonly fatal: Error[];
  /** What becomes of a message; by default its packager accounts for it at once. */
  onMessage: (message: OutgoingMessage) => void | Promise<void>;
  busReady: boolean;
  packager(id: string, ledgerId?: string): FakePackager;
  /** Stops the gateway and starts another one on the same folder, with a fresh Hub end. */
  restart(): Promise<void>;
  /** Starts another gateway on the same folder, while this one lives. */
  another(): Promise<Gateway>;
  close(): Promise<void>;
}

export type StageOptions = Partial<Omit<GatewayOptions, "hub" | "timing">> & {
  readonly rows: readonly string[];
  readonly timing?: Partial<GatewayOptions["timing"]>;
};

export async function openStage({ rows, timing, ...changed }: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-gateway-"));
  const packagers: FakePackager[] = [];
  const published: OutgoingMessage[] = [];
  const storedBlobs: Stage["storedBlobs"] = [];
  const erasedBlobs: string[] = [];
  const fatal: Error[] = [];
  const bus: Bus = {
    async publish(message) {
      published.push(message);
      await stage.onMessage(message);
    },
    consume: () => Promise.reject(new Error("nothing is consumed here")),
    lag: () => Promise.resolve(0),
    ready: () => stage.busReady,
    close: () => Promise.resolve(),
  };
  const blobs = {
    put: () => Promise.resolve(),
    get: () => Promise.resolve(undefined),
    deleteRun: async (run: string) => void erasedBlobs.push(run),
    listRuns: async () => storedBlobs,
  };
  const start = (hub: FakeHub, port: number) =>
    startGateway(
      { bus, blobs, log: createLogger("silent"), onFatal: (error) => fatal.push(error) },
      {
        gatewayId: "G",
        plugin: "plugin-1",
        dataDir: folder,
        stateKey: undefined,
        volatileBus: false,
        maxSessions: 8,
        credits: { window: 16, maxBytes: 2 ** 20 },
        exportLimits: { maxEntryBytes: 2 ** 24, maxRatio: 100, maxLineBytes: 2 ** 20 },
        tracedAssets: 40,
        ...changed,
        hub,
        grpc: { host: "127.0.0.1", port, token: TOKEN },
        timing: { ...quick, ...timing },
      },
    );
  let hub = createFakeHub(rows);
  let gateway = await start(hub, 0);
  const stage: Stage = {
    get hub() {
      return hub;
    },
    get gateway() {
      return gateway;
    },
    ...{ folder, published, packagers, storedBlobs, erasedBlobs, fatal },
    busReady: true,
    onMessage: (message) => {
      for (const packager of packagers) packager.account(message);
    },
    packager(id, ledgerId = `${id}-ledger`) {
      const packager = new FakePackager(id, ledgerId, gateway.grpcPort, TOKEN);
      packagers.push(packager);
      return packager;
    },
    async restart() {
      await gateway.stop();
      hub = createFakeHub(rows);
      gateway = await start(hub, gateway.grpcPort);
    },
    another: () => start(createFakeHub(rows), 0),
    async close() {
      await Promise.all(packagers.map((packager) => packager.stop()));
      await gateway.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

/** Waits until `look` finds something. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** `count` rows of an export. */
export function someRows(count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify({ externalId: `${index}.png`, task: { taskId: `t${index}` } }));
}
