/** The brokers that benchmarks run on: real ones, with an empty store each time. */
import { findKafka, startKafka } from "../brokers/kafka.js";
import { findNats, startNats } from "../brokers/nats.js";

export const BROKER_NAMES = ["nats", "kafka"] as const;
export type BrokerName = (typeof BROKER_NAMES)[number];
/** With the bus that needs none. */
export const BUS_NAMES = ["memory", ...BROKER_NAMES] as const;
export type BusName = (typeof BUS_NAMES)[number];

export interface Broker {
  /** What services are told of it. */
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  /** Where it keeps its store. */
  readonly folder: string;
  close(): Promise<void>;
}

/** How a broker is started, or why it can not be. */
export function findBroker(name: BrokerName): { readonly start: () => Promise<Broker> } | { readonly skip: string } {
  return name === "nats" ? natsBroker() : kafkaBroker();
}

function natsBroker() {
  const nats = findNats();
  if ("skip" in nats) return nats;
  return {
    start: async (): Promise<Broker> => {
      const { address, pid, folder, close } = await startNats(nats.program);
      return { env: { BUS: "nats", NATS_URL: `nats://${address}` }, pid, folder, close };
    },
  };
}

function kafkaBroker() {
  const kafka = findKafka();
  if ("skip" in kafka) return kafka;
  return {
    start: async (): Promise<Broker> => {
      const { address, pid, folder, close } = await startKafka(kafka.jars);
      return { env: { BUS: "kafka", KAFKA_BROKERS: address }, pid, folder, close };
    },
  };
}

/** The brokers of a list that are there; of the others it is said why not. */
export function brokersThatAreThere<N extends BusName>(names: readonly N[]): N[] {
  return names.filter((name) => {
    if (name === "memory") return true;
    const broker = findBroker(name);
    if ("skip" in broker) console.error(`left out: ${broker.skip}`);
    return !("skip" in broker);
  });
}
