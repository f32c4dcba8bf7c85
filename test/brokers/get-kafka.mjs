// Prints the folder with the jars of an Apache Kafka for the tests: KAFKA_LIBS, the one fetched before, or else fetches it, once, with Maven
// and Maven's own settings. `--find` only looks. Ends with 1 and the reason when there is none, or no Java to run it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const VERSION = process.env.KAFKA_VERSION ?? "4.1.1";
const SLF4J_VERSION = "1.7.36";
const FETCH_MS = 15 * 60_000;

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "maskline");
const folder = join(cache, `kafka-${VERSION}`);

const noJava = failure("java", ["-version"], { stdio: "ignore" });
if (noJava) giveUp(`Kafka needs Java 17 or later (${noJava})`);
const chosen = process.env.KAFKA_LIBS;
if (chosen && !existsSync(chosen)) giveUp(`KAFKA_LIBS names ${JSON.stringify(chosen)}, and there is no such folder`);
if (!chosen && !existsSync(folder)) {
  if (process.argv.includes("--find")) giveUp("Kafka is not fetched; node test/brokers/get-kafka.mjs fetches it, with Maven");
  const reason = fetched();
  if (reason) giveUp(`Kafka could not be fetched: ${reason}`);
}
console.log(chosen || folder);

/** A broker, and a log binding that it says something with. */
function pom() {
  const dependency = (group, artifact, version) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>maskline</groupId><artifactId>test-broker</artifactId><version>1</version>
<dependencies>${dependency("org.apache.kafka", "kafka_2.13", VERSION)}${dependency("org.slf4j", "slf4j-simple", SLF4J_VERSION)}</dependencies>
</project>`;
}

/** Undefined when it worked, else why not. */
function fetched() {
  console.error(`Fetching Apache Kafka ${VERSION} with Maven (once, about a minute) ...`);
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, "fetch-"));
  try {
    writeFileSync(join(scratch, "pom.xml"), pom());
    const jars = join(scratch, "jars");
    const goal = ["-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${jars}`];
    const reason = failure("mvn", goal, { cwd: scratch });
    // Another process may have been faster.
    if (!reason && !existsSync(folder)) renameSync(jars, folder);
    return reason;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function failure(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2], timeout: FETCH_MS, ...options });
  return status === 0 ? undefined : (error?.message ?? `${command} ended with ${status}`);
}

function giveUp(reason) {
  console.error(reason);
  process.exit(1);
}
