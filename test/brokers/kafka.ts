/** A real Apache Kafka (one broker, KRaft) on free loopback ports, for tests: its jars are found or fetched by get-kafka.mjs. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { projectRoot } from "../project-root.js";
import { freePort } from "../support/free-port.js";
import { isRequired, skipReason } from "./required.js";

export interface KafkaBroker {
  /** host:port of the listener that asks for nothing; the same after every start. Its user may do everything. */
  readonly address: string;
  /** host:port of the listener that asks for a login (SASL PLAIN). */
  readonly loginAddress: string;
  /** Of the running process. */
  readonly pid: number;
  /** Its store. */
  readonly folder: string;
  /** Ends it as a power cut of the process would. */
  kill(): Promise<void>;
  /** Starts it again, on the same ports and store. */
  start(): Promise<void>;
  /** Ends it and deletes its store. */
  close(): Promise<void>;
}

/** A user of the listener that asks for a login, who may do everything, and one who may log in and nothing else. */
export const KAFKA_USER = { name: "maskline", password: "kafka-password-canary" };
export const KAFKA_GUEST = { name: "guest", password: "kafka-guest-canary" };

const START_MS = 60_000;
const KEPT_LINES = 20;
/** Starting it fast, and small, matters more here than running it fast. */
const JAVA = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto"];
const LOG_LEVELS = ["defaultLogLevel=error", "log.kafka.server.KafkaRaftServer=info"];
/** Which says this at the end of its start. */
const STARTED = /Kafka Server started/;
/** Another process may take a port that was free a moment ago. */
const TRIES = 3;

/** None outlives the tests. */
const children = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** The folder of the jars, or why tests of Kafka are skipped. */
export function findKafka(): { readonly jars: string } | { readonly skip: string } {
  const script = join(projectRoot, "test", "brokers", "get-kafka.mjs");
  const args = isRequired("kafka") ? [script] : [script, "--find"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return status === 0 ? { jars: stdout.trim() } : { skip: skipReason("kafka", stderr.trim()) };
}

export interface KafkaBrokerConfig {
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
  /** The listener that asks for a login speaks TLS with this (PEM). */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Starts a broker without topics. */
export async function startKafka(jars: string, config: KafkaBrokerConfig = {}): Promise<KafkaBroker> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnFreePorts(jars, config);
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function startOnFreePorts(jars: string, config: KafkaBrokerConfig): Promise<KafkaBroker> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-kafka-"));
  const ports = { open: await freePort(), login: await freePort(), controller: await freePort() };
  const configFile = join(folder, "server.properties");
  const java = [...JAVA, ...LOG_LEVELS.map((level) => `-Dorg.slf4j.simpleLogger.${level}`), "-cp", join(jars, "*")];
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn("java", [...java, "kafka.Kafka", configFile], { stdio: ["ignore", "pipe", "pipe"], cwd: folder });
    running = child;
    children.add(child);
    child.once("exit", () => children.delete(child));
    await started(child);
  }

  async function kill(): Promise<void> {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  async function close(): Promise<void> {
    await kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    await writeFile(configFile, properties(folder, ports, config));
    if (config.tls) await writeFile(join(folder, KEYSTORE), config.tls.key + config.tls.certificate, { mode: 0o600 });
    // Any id will do: 16 bytes in base64.
    const format = ["kafka.tools.StorageTool", "format", "-t", "bWFza2xpbmUtdGVzdHMtMQ", "-c", configFile];
    await promisify(execFile)("java", [...java, ...format], { cwd: folder });
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    address: `127.0.0.1:${ports.open}`,
    loginAddress: `127.0.0.1:${ports.login}`,
    get pid() {
      return running?.pid ?? -1;
    },
    folder,
    kill,
    start,
    close,
  };
}

const KEYSTORE = "keystore.pem";

function properties(
  folder: string,
  ports: Readonly<Record<"open" | "login" | "controller", number>>,
  { lines = [], tls }: KafkaBrokerConfig,
): string {
  const clients = `OPEN://127.0.0.1:${ports.open},LOGIN://127.0.0.1:${ports.login}`;
  const user = ({ name, password }: { readonly name: string; readonly password: string }) => `user_${name}="${password}"`;
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.controller}
controller.listener.names=CONTROLLER
listeners=${clients},CONTROLLER://127.0.0.1:${ports.controller}
advertised.listeners=${clients}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,OPEN:PLAINTEXT,LOGIN:${tls ? "SASL_SSL" : "SASL_PLAINTEXT"}
inter.broker.listener.name=OPEN
sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${user(KAFKA_USER)} ${user(KAFKA_GUEST)};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:${KAFKA_USER.name}
log.dirs=${join(folder, "log")}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
${tls ? `listener.name.login.ssl.keystore.type=PEM\nlistener.name.login.ssl.keystore.location=${join(folder, KEYSTORE)}` : ""}
${lines.join("\n")}
`;
}

/** Resolves when it says that it runs. */
function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (how: string) => reject(new Error(`Kafka ${how}; it said:\n${said.join("\n")}`));
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`is not ready after ${START_MS} ms`);
    }, START_MS);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with exit code ${code}`);
    });
    const hear = (line: string) => {
      said.push(line);
      if (said.length > KEPT_LINES) said.shift();
      if (!STARTED.test(line)) return;
      clearTimeout(timer);
      resolve();
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on("line", hear);
  });
}
