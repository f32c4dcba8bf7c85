/** Environment keys that several services share, in the groups that they are needed in. Each key is declared here once. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BlobPlace } from "./blob/place.js";
import { kafkaKeys } from "./bus/kafka/keys.js";
import { natsKeys } from "./bus/nats/keys.js";
import { type Config, duration, integer, type Key, type Keys, list, oneOf, text, url } from "./config.js";
import { LOG_LEVELS } from "./log.js";

/** The buses there are; the adapter of each is made in one place, where services are wired. */
export const BUSES = ["memory", "nats", "kafka"] as const;
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

/** Who reaches a broker: all of them, for which one it is stands in `busKeys`. */
export const brokerKeys = { ...natsKeys, ...kafkaKeys } satisfies Keys;

/** Who keeps something on a volume. */
export const dataKeys = {
  dataDir: text({
    env: "DATA_DIR",
    meaning: "Folder for everything that outlives the process; each service has its own in it.",
    fallback: "./data",
  }),
} satisfies Keys;

/** Who publishes or consumes large payloads. Goes with `dataKeys`, see `blobPlace`. */
export const blobKeys = {
  blobUrl: parsedAs(
    url(
      {
        env: "BLOB_URL",
        meaning:
          "Where payloads go that are too large for the bus: s3://bucket/prefix, or file:///a/folder, the same for all services. Empty: blobs " +
          "in DATA_DIR.",
        fallback: "",
      },
      ["file", "s3"],
    ),
    (value, parse) => checkBlobUrl(parse(value)),
  ),
  s3Endpoint: url(
    {
      env: "AWS_ENDPOINT_URL_S3",
      meaning: "With BLOB_URL=s3://: the address of an S3-compatible store, as https://host:port. Empty: Amazon's.",
      fallback: "",
    },
    ["https", "http"],
  ),
  s3Region: text({
    env: "AWS_REGION",
    meaning: "With BLOB_URL=s3://: the bucket's region. Empty: what the SDK finds (a profile); us-east-1 with AWS_ENDPOINT_URL_S3.",
    fallback: "",
  }),
  s3PathStyle: oneOf(
    {
      env: "BLOB_PATH_STYLE",
      meaning:
        "With BLOB_URL=s3://: yes: the bucket stands in the path of addresses, no: in their host; auto: yes with AWS_ENDPOINT_URL_S3.",
      fallback: "auto",
    },
    ["auto", "yes", "no"],
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
  grpcTlsCa: text({
    env: "GRPC_TLS_CA",
    meaning: "File (PEM) of the authorities whose certificates gRPC takes from the other end. With the next two: gRPC is encrypted.",
    fallback: "",
  }),
  grpcTlsCert: text({
    env: "GRPC_TLS_CERT",
    meaning: "File (PEM) of this process's certificate; a gateway's names its host.",
    fallback: "",
  }),
  grpcTlsKey: text({ env: "GRPC_TLS_KEY", meaning: "File (PEM) of the certificate's private key, without a passphrase.", fallback: "" }),
} satisfies Keys;

/** Where blobs are kept. */
export function blobPlace(config: Config<typeof blobKeys & typeof dataKeys>): BlobPlace {
  const { blobUrl, dataDir, s3Endpoint, s3Region, s3PathStyle } = config;
  if (blobUrl === "") return { kind: "folder", folder: join(dataDir, "blobs") };
  if (blobUrl.startsWith("file:")) return { kind: "folder", folder: fileURLToPath(blobUrl) };
  const { host, pathname } = new URL(blobUrl);
  return {
    kind: "bucket",
    bucket: host,
    prefix: pathname.slice(1),
    endpoint: s3Endpoint || undefined,
    region: s3Region || undefined,
    pathStyle: s3PathStyle === "auto" ? s3Endpoint !== "" : s3PathStyle === "yes",
  };
}

/** The key with a parser around its own. */
function parsedAs<T>(key: Key<T>, parse: (value: string, own: (value: string) => T) => T): Key<T> {
  return { ...key, parse: (value) => parse(value, key.parse) };
}

/** S3 bucket names are of lower-case letters, digits, dots and dashes; some stores take more. */
const BUCKET_URL = /^s3:\/\/[A-Za-z0-9][A-Za-z0-9._-]*(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._-]+)*$/;

function checkBlobUrl(blobUrl: string): string {
  if (blobUrl.startsWith("s3:")) {
    if (!BUCKET_URL.test(blobUrl)) throw new Error("allowed: a bucket as s3://bucket or s3://bucket/prefix, of [A-Za-z0-9._-] and slashes");
    return blobUrl;
  }
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
