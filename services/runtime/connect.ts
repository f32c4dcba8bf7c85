/** The only file that knows the adapters of the ports: configuration to bus and blobs. */
import type { Blobs } from "./blob/blob.js";
import { createFileBlobs } from "./blob/file.js";
import type { Bus } from "./bus/bus.js";
import { claimCheck, DEFAULT_INLINE_BYTES } from "./bus/claim-check.js";
import { createMemoryBus } from "./bus/memory.js";
import type { BusName } from "./keys.js";
import type { Logger } from "./log.js";

/** Of each queue of the memory bus: full, it makes its producer wait. */
const MEMORY_BOUNDS = { maxMessages: 512, maxBytes: 32 * 2 ** 20 };

export interface Connections {
  /** Large bodies travel as blobs. */
  readonly bus: Bus;
  readonly blobs: Blobs;
}

/** Connects to the bus and opens the blob store. */
export async function connect(options: { readonly bus: BusName; readonly blobFolder: string; readonly log: Logger }): Promise<Connections> {
  const blobs = await createFileBlobs(options.blobFolder);
  const bus = await openBus(options.bus);
  return { bus: claimCheck(bus, blobs, { inlineBytes: DEFAULT_INLINE_BYTES, log: options.log }), blobs };
}

/** A case an adapter; the compiler misses the one that is forgotten. */
async function openBus(name: BusName): Promise<Bus> {
  switch (name) {
    case "memory":
      return createMemoryBus(MEMORY_BOUNDS);
  }
}
