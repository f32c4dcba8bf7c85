/** Every adapter that needs nothing but Node, against the suite of its port. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Blobs } from "../../services/runtime/blob/blob.js";
import { createFileBlobs } from "../../services/runtime/blob/file.js";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { claimCheck } from "../../services/runtime/bus/claim-check.js";
import { createMemoryBroker } from "../../services/runtime/bus/memory.js";
import { createLogger } from "../../services/runtime/log.js";
import { blobConformance } from "./blob.js";
import { busConformance } from "./bus.js";
import type { BusFixture } from "./bus-probe.js";
import { claimCheckOverMemoryExceptions, everythingClaimedExceptions, fileBlobsExceptions, memoryBusExceptions } from "./exceptions.js";

/** Every test has a broker or a folder of its own. */
const AT_ONCE = 8;

const BOUNDS = { maxMessages: 300, maxBytes: 16 * 2 ** 20 };

async function memoryFixture(wrap: (bus: Bus) => Promise<Bus> = async (bus) => bus): Promise<BusFixture> {
  const broker = createMemoryBroker(BOUNDS);
  const clients: Bus[] = [];
  const connect = async () => {
    const client = await wrap(broker.connect());
    clients.push(client);
    return client;
  };
  return {
    bus: await connect(),
    another: connect,
    dispose: async () => {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

const log = createLogger("silent");

async function claimCheckFixture(): Promise<BusFixture> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-claims-"));
  const fixture = await memoryFixture(async (bus) => claimCheck(bus, await createFileBlobs(folder), { inlineBytes: 4_096, log }));
  return {
    ...fixture,
    dispose: async () => {
      await fixture.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Every body is claimed, from a store that answers in any order. */
function everythingClaimedFixture(): Promise<BusFixture> {
  const stored = new Map<string, Uint8Array>();
  const soon = () => sleep(Math.random() < 0.5 ? 0 : 2);
  const blobs: Blobs = {
    put: async (key, body) => {
      await soon();
      stored.set(key, body);
    },
    get: async (key) => {
      await soon();
      return stored.get(key);
    },
    deleteRun: async () => {},
    listRuns: async () => [],
  };
  return memoryFixture(async (bus) => claimCheck(bus, blobs, { inlineBytes: 0, log }));
}

busConformance("memory bus", () => memoryFixture(), memoryBusExceptions, AT_ONCE);
busConformance("claim check over memory and files", claimCheckFixture, claimCheckOverMemoryExceptions, AT_ONCE);
busConformance("claim check over memory, everything claimed", everythingClaimedFixture, everythingClaimedExceptions, AT_ONCE);

blobConformance(
  "file blobs",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "maskline-blobs-"));
    return {
      blobs: await createFileBlobs(folder),
      another: () => createFileBlobs(folder),
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  },
  fileBlobsExceptions,
  AT_ONCE,
);
