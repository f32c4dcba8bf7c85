/** Dialling NATS: addresses, identity and TLS from the configuration. */
import { readFileSync } from "node:fs";
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { Retry } from "../../errors.js";
import { type NatsConfig, type NatsIdentity, natsIdentity } from "./keys.js";

const DIAL_TIMEOUT_MS = 10_000;
/** A server that answers no ping twice is gone: noticed after 30 s at the latest. */
const PING_MS = 10_000;
/** Between tries to come back; random, for all processes lose a server at the same moment. */
const RECONNECT_MS = { min: 100, max: 1_500 };

/**
 * Dials each of the servers once; afterwards the connection comes back by itself, without end.
 * @throws what NATS or the network says; ConfigError when keys contradict each other; Retry when a file can not be read.
 */
export function dial(config: NatsConfig): Promise<NatsConnection> {
  return connect(connectionOptions(config));
}

function connectionOptions(config: NatsConfig): NodeConnectionOptions {
  const { natsTlsCa, natsTlsCert, natsTlsKey, natsServers } = config;
  const files = {
    ...(natsTlsCa ? { caFile: readable("NATS_TLS_CA_FILE", natsTlsCa) } : {}),
    ...(natsTlsCert ? { certFile: readable("NATS_TLS_CERT_FILE", natsTlsCert) } : {}),
    ...(natsTlsKey ? { keyFile: readable("NATS_TLS_KEY_FILE", natsTlsKey) } : {}),
  };
  // Given, TLS is demanded; not given, it is used where the server offers it.
  const demandsTls = Object.keys(files).length > 0 || natsServers.some((server) => server.startsWith("tls://"));
  const authenticator = authenticatorOf(natsIdentity(config));
  return {
    servers: [...natsServers],
    name: "maskline",
    timeout: DIAL_TIMEOUT_MS,
    pingInterval: PING_MS,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => RECONNECT_MS.min + Math.random() * (RECONNECT_MS.max - RECONNECT_MS.min),
    // A refused identity may be known again later; `Link` bounds how long that is hoped for.
    ignoreAuthErrorAbort: true,
    // Stack traces of every request cost more than the requests.
    noAsyncTraces: true,
    ...(authenticator ? { authenticator } : {}),
    ...(demandsTls ? { tls: files } : {}),
  };
}

function authenticatorOf(identity: NatsIdentity): Authenticator | undefined {
  const encode = (text: string) => new TextEncoder().encode(text);
  switch (identity.kind) {
    case "none":
      return undefined;
    case "token":
      return tokenAuthenticator(identity.token);
    case "user":
      return usernamePasswordAuthenticator(identity.user, identity.password);
    case "creds":
      return credsAuthenticator(encode(`${identity.creds}\n`));
    case "nkey":
      return nkeyAuthenticator(encode(identity.seed.trim()));
  }
}

/** The file's path: it is read again at every connect, so that a renewed certificate is taken up. */
function readable(key: string, file: string): string {
  try {
    readFileSync(file);
    return file;
  } catch (cause) {
    throw new Retry(`${key} names ${JSON.stringify(file)}, which can not be read`, { cause });
  }
}
