/**
 * What an adapter is excused from, and why. The list is committed: an adapter that misses a promise of its port misses it in the open.
 * Everything that is not listed here is run.
 */
export interface Exception {
  /** The title of the behaviour in the suite. */
  readonly behaviour: string;
  readonly reason: string;
}

const NO_BROKER: Exception = {
  behaviour: "a restart of the broker is survived: nothing is lost, and deliveries go on",
  reason: "the memory bus has no broker; it ends with its process, and the gateway publishes every open run again",
};

export const memoryBusExceptions: readonly Exception[] = [NO_BROKER];

export const claimCheckOverMemoryExceptions: readonly Exception[] = [NO_BROKER];

export const everythingClaimedExceptions: readonly Exception[] = [
  NO_BROKER,
  {
    behaviour: "messages of one key arrive in publish order as long as nothing is redelivered",
    reason: "bodies are read from the blob store at the same time, and a small one may overtake a large one",
  },
];

export const fileBlobsExceptions: readonly Exception[] = [];

export const s3BlobsExceptions: readonly Exception[] = [];

export const natsBusExceptions: readonly Exception[] = [];

export const kafkaBusExceptions: readonly Exception[] = [
  {
    behaviour: "messages of one key arrive in publish order as long as nothing is redelivered",
    reason:
      "Kafka keeps the order within a partition only; a run is spread over all partitions, so that all consumers work on it, and nothing " +
      "depends on the order",
  },
];
