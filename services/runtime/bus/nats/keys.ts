/** The environment keys of BUS=nats. docs/nats.md tells an operator what they do. */
import { bytes, type Config, ConfigError, duration, integer, type Key, type Keys, list, oneOf, text } from "../../config.js";

const GIB = 2 ** 30;

export const natsKeys = {
  natsServers: {
    ...list({
      env: "NATS_URL",
      meaning: "The NATS servers: nats://host:port, or tls://host:port where TLS is demanded; several of one cluster with commas between.",
      fallback: "nats://127.0.0.1:4222",
      // Somebody may put a password into it: a message that refuses it must not repeat it.
      secret: true,
    }),
    parse: parseServers,
  } satisfies Key<readonly string[]>,
  natsPrefix: {
    ...text({
      env: "NATS_PREFIX",
      meaning: "Begins every stream and subject; installations that share a NATS account each have their own.",
      fallback: "maskline",
    }),
    parse: parsePrefix,
  } satisfies Key<string>,
  natsToken: text({ env: "NATS_TOKEN", meaning: "Token that NATS asks for; empty: none.", fallback: "", secret: true }),
  natsUser: text({ env: "NATS_USER", meaning: "User that NATS knows, with NATS_PASSWORD; empty: none.", fallback: "" }),
  natsPassword: text({ env: "NATS_PASSWORD", meaning: "Password of NATS_USER.", fallback: "", secret: true }),
  natsCreds: text({
    env: "NATS_CREDS",
    meaning: "Content of a .creds file (a JWT and its seed); empty: none. NATS_CREDS_FILE names the file.",
    fallback: "",
    secret: true,
  }),
  natsNkey: text({ env: "NATS_NKEY", meaning: "NKey seed (SU...) of a user; empty: none.", fallback: "", secret: true }),
  natsTlsCa: text({
    env: "NATS_TLS_CA_FILE",
    meaning: "Certificates (PEM) that the NATS servers' are checked against; empty: the system's.",
    fallback: "",
  }),
  natsTlsCert: text({
    env: "NATS_TLS_CERT_FILE",
    meaning: "Certificate (PEM) to show to NATS, with NATS_TLS_KEY_FILE; empty: none.",
    fallback: "",
  }),
  natsTlsKey: text({ env: "NATS_TLS_KEY_FILE", meaning: "Private key (PEM) of NATS_TLS_CERT_FILE.", fallback: "" }),
  natsReplicas: {
    ...oneOf(
      {
        env: "NATS_REPLICAS",
        meaning: "Copies that the cluster keeps of each stream: 1 or 3, or 5. With 1, a lost disk loses messages.",
        fallback: "1",
      },
      ["1", "3", "5"],
    ),
    parse: parseReplicas,
  } satisfies Key<number>,
  natsStreamBytes: bytes(
    {
      env: "NATS_STREAM_BYTES",
      meaning: "Largest size of each of the three streams, which NATS sets aside; full, publishers wait.",
      fallback: "1G",
    },
    { min: 2 ** 20, max: 64 * 1024 * GIB },
  ),
  natsStreamAge: duration(
    {
      env: "NATS_STREAM_AGE",
      meaning: "A message that nobody took for so long is dropped: its session has ended long since.",
      fallback: "168h",
    },
    { min: "1h", max: "8760h" },
  ),
  natsRunMessages: integer(
    {
      env: "NATS_RUN_MESSAGES",
      meaning:
        "Messages of one session in one queue at most, the held ones included; more wait at their publisher. Twice SESSION_WINDOW is good.",
      fallback: "1024",
    },
    { min: 16, max: 1_000_000 },
  ),
  natsAckWait: duration(
    {
      env: "NATS_ACK_WAIT",
      meaning: "A process that is silent for so long, because it died, loses its messages to another one.",
      fallback: "30s",
    },
    { min: "1s", max: "1h" },
  ),
} satisfies Keys;

export type NatsConfig = Config<typeof natsKeys>;

/** How the adapter shows who it is. `key` is the variable that an operator would correct. */
export type NatsIdentity =
  | { readonly kind: "none"; readonly key: string }
  | { readonly kind: "token"; readonly key: string; readonly token: string }
  | { readonly kind: "user"; readonly key: string; readonly user: string; readonly password: string }
  | { readonly kind: "creds"; readonly key: string; readonly creds: string }
  | { readonly kind: "nkey"; readonly key: string; readonly seed: string };

/** @throws ConfigError when keys are set that exclude or need each other. */
export function natsIdentity(config: NatsConfig): NatsIdentity {
  const { natsToken, natsUser, natsPassword, natsCreds, natsNkey } = config;
  const identities: NatsIdentity[] = [];
  if (natsToken) identities.push({ kind: "token", key: "NATS_TOKEN", token: natsToken });
  if (natsUser) identities.push({ kind: "user", key: "NATS_USER with NATS_PASSWORD", user: natsUser, password: natsPassword });
  if (natsCreds) identities.push({ kind: "creds", key: "NATS_CREDS", creds: natsCreds });
  if (natsNkey) identities.push({ kind: "nkey", key: "NATS_NKEY", seed: natsNkey });
  const problems: string[] = [];
  if (identities.length > 1) {
    problems.push(`${identities.map(({ key }) => key).join(" and ")} are set, but NATS is shown one of them; keep the one it knows`);
  }
  if (natsPassword && !natsUser) problems.push("NATS_PASSWORD is set without NATS_USER, whose password it is; set both");
  if ((config.natsTlsCert === "") !== (config.natsTlsKey === "")) {
    problems.push("NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE belong together; set both or none");
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return identities[0] ?? { kind: "none", key: "NATS_TOKEN, NATS_USER, NATS_CREDS or NATS_NKEY (none is set)" };
}

/** What an operator is told when NATS does not take who we say we are. */
export function refusal({ key }: NatsIdentity): string {
  return `NATS refuses this process; correct ${key}, or the users of the NATS server`;
}

function parseServers(value: string): readonly string[] {
  const servers = value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const allowed = "allowed: nats://host:port or tls://host:port, with commas between";
  if (servers.length === 0) throw new Error(allowed);
  for (const server of servers) {
    const { protocol, username, password, pathname, hostname } = parsedUrl(server, allowed);
    if (!["nats:", "tls:"].includes(protocol) || hostname === "" || !["", "/"].includes(pathname)) throw new Error(allowed);
    // An address is logged; a secret in it would be too.
    if (username || password) throw new Error("a user or token does not belong in it: set NATS_USER and NATS_PASSWORD, or NATS_TOKEN");
  }
  return servers.map((server) => server.replace(/\/+$/, ""));
}

function parsedUrl(server: string, allowed: string): URL {
  try {
    return new URL(server);
  } catch {
    throw new Error(allowed);
  }
}

function parsePrefix(value: string): string {
  if (!/^[A-Za-z0-9_-]{1,32}$/.test(value)) throw new Error("allowed: 1 to 32 of the characters A-Z a-z 0-9 _ and -");
  return value;
}

function parseReplicas(value: string): number {
  if (!["1", "3", "5"].includes(value)) throw new Error("allowed: 1, 3 or 5");
  return Number(value);
}
