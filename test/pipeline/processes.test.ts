/** Whole sessions through services that are processes of their own, on each broker that is there. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findKafka, startKafka } from "../brokers/kafka.js";
import { findNats, startNats } from "../brokers/nats.js";
import { type HubSimulator, startHubSimulator } from "../hub-simulator/server.js";
import { PROJECT, startPipeline } from "./pipeline.js";
import { FIVE_PROCESSES, type Processes, startProcesses, type TestBroker } from "./processes.js";
import { polygon, row, square } from "./rows.js";

/** How each broker is found and started; a new one is a line here. */
const BROKERS: Readonly<Record<string, { readonly skip: string } | { readonly start: () => Promise<TestBroker> }>> = {
  nats: natsBroker(),
  kafka: kafkaBroker(),
};

function natsBroker() {
  const nats = findNats();
  if ("skip" in nats) return nats;
  return {
    async start(): Promise<TestBroker> {
      const server = await startNats(nats.program);
      return {
        env: { BUS: "nats", NATS_URL: `nats://${server.address}`, NATS_ACK_WAIT: "3s" },
        async restart() {
          await server.kill();
          await server.start();
        },
        close: server.close,
      };
    },
  };
}

function kafkaBroker() {
  const kafka = findKafka();
  if ("skip" in kafka) return kafka;
  return {
    async start(): Promise<TestBroker> {
      const broker = await startKafka(kafka.jars);
      return {
        env: { BUS: "kafka", KAFKA_BROKERS: broker.address, KAFKA_PARTITIONS: "4", KAFKA_SESSION_TIMEOUT: "6s" },
        async restart() {
          await broker.kill();
          await broker.start();
        },
        close: broker.close,
      };
    },
  };
}

const PLUGIN = { pluginId: "plugin-1", pluginSecret: "plugin-secret-canary" };
const TIMEOUT = { timeout: 90_000 };
const ASSETS = 300;
/** A row with a contour of so many points does not fit into a message: it travels as a blob. */
const MANY_POINTS = Array.from({ length: 40_000 }, (_, index) => [(index * 7) % 16, (index * 5) % 12]);
const rows = Array.from({ length: ASSETS }, (_, index) =>
  row({
    id: `task-${index}`,
    tools: [polygon("Road", "road", index % 100 === 50 ? MANY_POINTS : square(index % 9, 1, 4))],
    standing: index % 10 === 3 ? "untouched" : "labeled",
  }),
);

for (const [name, broker] of Object.entries(BROKERS)) {
  const skip = "skip" in broker ? broker.skip : false;
  describe(`services as processes of their own, on ${name}`, { skip }, () => {
    let hub: HubSimulator;
    let running: TestBroker;
    let processes: Processes;
    let expected: Buffer;

    before(async () => {
      if ("skip" in broker) return;
      expected = await archiveOfOneProcess();
      running = await broker.start();
      hub = await startHubSimulator({ projects: [{ project: PROJECT, rows }], ...PLUGIN, apiKey: "api-key-canary", pingInterval: 200 });
      await begin(FIVE_PROCESSES);
    });
    after(async () => {
      await processes?.close();
      await hub?.close();
      await running?.close();
    });

    async function begin(roles: Readonly<Record<string, string>>): Promise<void> {
      // A small window, so that a session is still under way when something happens to it.
      processes = await startProcesses(roles, hub, PLUGIN, { SESSION_WINDOW: "16", ...running.env });
      await hub.waitForPlugin(30_000);
    }

    async function session(disturb: (reached: (part: number) => Promise<void>) => Promise<void> = async () => undefined): Promise<Buffer> {
      const handle = await hub.run({ projectId: PROJECT._id, stage: [], configJSON: '{"verbose_frequency": 10}' });
      const progress = () => Math.max(0, ...handle.logs.map(({ msg }) => Number(/^(\d+) of 300/.exec(msg)?.[1] ?? 0)));
      const reached = async (part: number) => {
        for (const end = Date.now() + 30_000; progress() < part * ASSETS; await sleep(5)) {
          if (Date.now() > end) throw new Error(`waited 30 s in vain for ${part} of the session; it is at ${progress()}`);
        }
      };
      const result = await Promise.race([processes.broken, Promise.all([handle.result, disturb(reached)]).then(([first]) => first)]);
      assert.equal(result.export, true, handle.logs.map(({ msg }) => msg).join("\n"));
      return handle.download();
    }

    it("gateway, filter, two rasterizers and packager give the same bytes as one process on the memory bus", TIMEOUT, async () => {
      assert.ok(expected.equals(await session()));
    });

    it("they give them too when a rasterizer is killed and the broker restarts on the way", TIMEOUT, async () => {
      const bytes = await session(async (reached) => {
        await reached(0.1);
        await processes.kill("rasterizer-1");
        processes.start("rasterizer-1");
        await reached(0.3);
        await running.restart();
      });
      assert.ok(expected.equals(bytes));
    });

    it("maskline all gives them, killed on the way and started again", TIMEOUT, async () => {
      await processes.close();
      await begin({ all: "all" });
      const bytes = await session(async (reached) => {
        await reached(0.3);
        await processes.kill("all");
        processes.start("all");
      });
      assert.ok(expected.equals(bytes));
    });
  });
}

async function archiveOfOneProcess(): Promise<Buffer> {
  const pipeline = await startPipeline({ rows });
  try {
    const { bytes, lines } = await pipeline.run();
    assert.ok(bytes, lines.join("\n"));
    return bytes;
  } finally {
    await pipeline.close();
  }
}
