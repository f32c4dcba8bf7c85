/** The only file that knows the adapters of the ports: configuration to bus and blobs. */
import { pipeline } from "../../proto/pipeline.js";
import type { Blobs } from "./blob/blob.js";
import { createFileBlobs } from "./blob/file.js";
import type { BlobPlace } from "./blob/place.js";
import { createS3Blobs } from "./blob/s3.js";
import type { Bus } from "./bus/bus.js";
import { claimCheck, DEFAULT_INLINE_BYTES } from "./bus/claim-check.js";
import { createMemoryBus } from "./bus/memory.js";
import type { Config } from "./config.js";
import type { BusName, brokerKeys } from "./keys.js";
import type { Starting } from "./lifecycle.js";
import type { Logger } from "./log.js";

/** Of each queue of the memory bus: full, it makes its producer wait. */
const MEMORY_BOUNDS = { maxMessages: 512, maxBytes: 32 * 2 ** 20 };

export interface Connections {
  /** Large bodies travel as blobs. */
  readonly bus: Bus;
  readonly blobs: Blobs;
}

/** Queues of which a broker makes streams or topics before anything else; those of one packager are made when they are first used. */
const SHARED_QUEUES = [pipeline.assetExported.queue(), pipeline.maskRequested.queue()];
/** With the stream that all packagers' queues share. */
const QUEUES = [...SHARED_QUEUES, pipeline.assetOutcome.queue("any")];

/** A bus whose broker is another process. */
export interface BrokerBus {
  readonly name: Exclude<BusName, "memory">;
  readonly config: Config<typeof brokerKeys>;
  /** A broker that is away is waited for. */
  readonly starting: Starting;
}

/** Connects to the bus and opens the blob store. */
export async function connect(options: {
  readonly bus: "memory" | BrokerBus;
  readonly blobs: BlobPlace;
  readonly log: Logger;
}): Promise<Connections> {
  const blobs = await openBlobs(options.blobs);
  const bus = await openBus(options.bus, options.log);
  return { bus: claimCheck(bus, blobs, { inlineBytes: DEFAULT_INLINE_BYTES, log: options.log }), blobs };
}

function openBlobs(place: BlobPlace): Promise<Blobs> {
  return place.kind === "folder" ? createFileBlobs(place.folder) : createS3Blobs(place);
}

/** A case an adapter; the compiler misses the one that is forgotten. A broker's SDK is loaded only where it is used. */
async function openBus(bus: "memory" | BrokerBus, log: Logger): Promise<Bus> {
  if (bus === "memory") return createMemoryBus(MEMORY_BOUNDS);
  const { name, config, starting } = bus;
  switch (name) {
    case "nats": {
      const { connectNatsBus } = await import("./bus/nats/bus.js");
      return connectNatsBus({ config, queues: QUEUES, log, onWaiting: starting.waitsFor, signal: starting.signal });
    }
    case "kafka": {
      const { connectKafkaBus } = await import("./bus/kafka/bus.js");
      return connectKafkaBus({ config, queues: SHARED_QUEUES, log, onWaiting: starting.waitsFor, signal: starting.signal });
    }
  }
}
