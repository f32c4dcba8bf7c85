/** Environment keys that several services share, in the groups that they are needed in. Each key is declared here once. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { duration, integer, type Key, type Keys, list, oneOf, text, url } from "./config.js";
import { LOG_LEVELS } from "./log.js";

/** The buses there are; the adapter of each is made in one place, where services are wired. */
export const BUSES = ["memory"] as const;
export type BusName = (typeof BUSES)[number];

const MAX_CONCURRENCY = 256;
const ALL_CORES = "cores";

/** Every process. */
export const processKeys = {
  logLevel: parsedAs(
    oneOf(
      { env: "LOGLEVEL", meaning: `The least important lines that are logged: ${LOG_LEVELS.join(", ")}.`, fallback: "info" },
      LOG_LEVELS,
    ),
    (level, parse) => parse(level.toLowerCase()),
  ),
  healthPort: integer(
    { env: "HEALTH_PORT", meaning: "Port of /livez and /readyz; 0: a free one, which is logged.", fallback: "8081" },
    { min: 0, max: 65_535 },
  ),
  drainMs: duration(
    {
      env: "DRAIN_TIMEOUT",
      meaning: "How long a process that is told to stop may finish its work; what is left is handed back.",
      fallback: "25s",
    },
    { min: "0s", max: "1h" },
  ),
} satisfies Keys;

/** Who publishes or consumes. */
export const busKeys = {
  bus: oneOf({ env: "BUS", meaning: `What carries the messages between services: ${BUSES.join(", ")}.`, fallback: "memory" }, BUSES),
} satisfies Keys;

/** Who keeps something on a volume. */
export const dataKeys = {
  dataDir: text({
    env: "DATA_DIR",
    meaning: "Folder for everything that outlives the process; each service has its own in it.",
    fallback: "./data",
  }),
} satisfies Keys;

/** Who publishes or consumes large payloads. Goes with `dataKeys`, see `blobFolder`. */
export const blobKeys = {
  blobUrl: parsedAs(
    url(
      {
        env: "BLOB_URL",
        meaning: "Where payloads go that are too large for the bus: file:///a/folder, the same for all services. Empty: blobs in DATA_DIR.",
        fallback: "",
      },
      ["file"],
    ),
    (value, parse) => checkLocal(parse(value)),
  ),
} satisfies Keys;

/** Who does work of the processor. */
export const workerKeys = {
  concurrency: parsedAs(
    integer(
      { env: "CONCURRENCY", meaning: `Messages worked on at once; ${ALL_CORES}: as many as there are cores.`, fallback: ALL_CORES },
      { min: 1, max: MAX_CONCURRENCY },
    ),
    (value, parse) => (value === ALL_CORES ? Math.min(availableParallelism(), MAX_CONCURRENCY) : parse(value)),
  ),
} satisfies Keys;

/** Who takes images. */
export const imageKeys = {
  imagePixels: integer(
    {
      env: "IMAGE_PIXEL_LIMIT",
      fallback: "268435456",
      meaning: "Pixels (width x height) of one image at most; a larger one is rejected.",
    },
    { min: 1, max: 2 ** 31 - 1 },
  ),
} satisfies Keys;

/** Who calls gateways that run in other processes. */
export const gatewayAddressKeys = {
  gatewayAddrs: parsedAs(
    list({ env: "GATEWAY_ADDRS", meaning: "gRPC addresses of all gateways, host:port with commas between." }),
    (value, parse) => checkAddresses(parse(value)),
  ),
} satisfies Keys;

/** Both ends of gRPC between processes. */
export const grpcTokenKeys = {
  grpcToken: text({
    env: "GRPC_TOKEN",
    meaning: "The secret that services show each other over gRPC; the same for all of them.",
    secret: true,
  }),
} satisfies Keys;

/** The folder of the file blobs. */
export function blobFolder({ blobUrl, dataDir }: { readonly blobUrl: string; readonly dataDir: string }): string {
  return blobUrl === "" ? join(dataDir, "blobs") : fileURLToPath(blobUrl);
}

/** The key with a parser around its own. */
function parsedAs<T>(key: Key<T>, parse: (value: string, own: (value: string) => T) => T): Key<T> {
  return { ...key, parse: (value) => parse(value, key.parse) };
}

function checkLocal(blobUrl: string): string {
  try {
    if (blobUrl !== "") fileURLToPath(blobUrl);
    return blobUrl;
  } catch {
    throw new Error("allowed: a local folder as file:///a/folder (three slashes: a file URL has no host)");
  }
}

function checkAddresses(addresses: readonly string[]): readonly string[] {
  const isAddress = (address: string) => {
    const match = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(address);
    return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535;
  };
  const wrong = addresses.filter((address) => !isAddress(address));
  if (addresses.length === 0 || wrong.length > 0) {
    const which = wrong.length > 0 ? `${wrong.join(" and ")} ${wrong.length === 1 ? "is none" : "are none"}; ` : "";
    throw new Error(`${which}allowed: at least one host:port, with commas between, as gateway-0:50051,gateway-1:50051`);
  }
  return addresses;
}
