/** The Kafka adapter at the door: who it says it is, TLS, brokers that are not there, and the process that waits for them. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ConfigError } from "../../services/runtime/config.js";
import { Retry } from "../../services/runtime/errors.js";
import { findKafka, KAFKA_GUEST, KAFKA_USER, type KafkaBroker, startKafka } from "../brokers/kafka.js";
import { ackAtOnce, consume, message } from "../conformance/bus-probe.js";
import { eventually } from "../conformance/eventually.js";
import { startChild } from "../support/children.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { freePort } from "../support/free-port.js";
import { selfSigned } from "../support/self-signed.js";
import { type KafkaStage, onKafka } from "./kafka-clients.js";

const kafka = findKafka();
const WAIT_MS = 30_000;

/** Restarts of the broker come last: all tests share it. */
describe("the Kafka adapter's connection", { skip: "skip" in kafka ? kafka.skip : false }, () => {
  const { certificate, key } = selfSigned();
  let broker: KafkaBroker;
  let folder: string;
  let ca: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-kafka-tls-"));
    ca = join(folder, "ca.pem");
    await writeFile(ca, certificate);
    broker = await startKafka("jars" in kafka ? kafka.jars : "", { tls: { certificate, key } });
  });
  after(async () => {
    await broker?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const test = (title: string, run: (stage: KafkaStage) => Promise<void>) => it(title, { timeout: 60_000 }, () => onKafka(broker, run));
  const login = ({ name, password }: { readonly name: string; readonly password: string }) => ({
    KAFKA_BROKERS: broker.loginAddress,
    KAFKA_SASL_MECHANISM: "plain",
    KAFKA_SASL_USERNAME: name,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_TLS: "yes",
    KAFKA_TLS_CA_FILE: ca,
  });

  test("is made with a login over TLS", async ({ client }) => {
    const bus = await client(login(KAFKA_USER));
    const probe = await consume(bus, "filter", ackAtOnce);
    await bus.publish(message("filter", 0));
    await probe.received(1, WAIT_MS);
  });

  test("that is refused names the settings, is given up after a while, and shows no password", async ({ client, lines }) => {
    const reasons: string[] = [];
    const wrong = login({ name: KAFKA_USER.name, password: "wrong-canary" });
    const options = { refusalPatienceMs: 200, onWaiting: (reason: string) => reasons.push(reason) };
    await assert.rejects(client(wrong, options), (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /Kafka refuses this process; correct KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/);
      return true;
    });
    assert.match(reasons[0] ?? "", /Kafka refuses this process/);
    assert.doesNotMatch([...reasons, ...lines].join(), /canary/);
  });

  test("of a user who may nothing says what to allow, and is given up after a while", async ({ client, prefix }) => {
    await assert.rejects(client(login(KAFKA_GUEST), { refusalPatienceMs: 0 }), (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, new RegExp(`does not let the user guest use ${prefix}\\.filter; allow it everything .*"${prefix}\\."`));
      return true;
    });
  });

  test("is made to nobody but the given authority's brokers", async ({ reasonToWait }) => {
    const other = join(folder, "other.pem");
    await writeFile(other, selfSigned().certificate);
    for (const [path, expected] of [
      [other, /\(KAFKA_BROKERS\) can not be used: .*(?:self.signed|certificate)/i],
      [join(folder, "none.pem"), /KAFKA_TLS_CA_FILE can not be read: .*none\.pem/],
    ] as const) {
      assert.match(await reasonToWait({ ...login(KAFKA_USER), KAFKA_TLS_CA_FILE: path }), expected);
    }
  });

  test("of contradicting settings is not tried", async ({ client }) => {
    await assert.rejects(client({ KAFKA_SASL_MECHANISM: "plain", KAFKA_TLS_CA_FILE: ca }), (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems.length, 2);
      return true;
    });
  });

  test("waits for a broker that is away, is lost and found again, and nothing that was held is lost", async ({ client, lines }) => {
    await broker.kill();
    const reasons: string[] = [];
    const connecting = client(
      { KAFKA_BROKERS: `127.0.0.1:${await freePort()},${broker.address}` },
      { onWaiting: (reason) => reasons.push(reason) },
    );
    await eventually("a reason", () => reasons.length > 0, WAIT_MS);
    assert.match(reasons[0] ?? "", /Kafka at 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ \(KAFKA_BROKERS\) can not be used: .*ECONNREFUSED/);
    const service = await startRasterizer();
    try {
      await eventuallyHolds(async () => assert.match(await service.readiness(), /^503 starting: Kafka at .* can not be used/), WAIT_MS);
      await broker.start();
      const bus = await connecting;
      assert.equal(lines.filter((line) => line.includes("waiting for Kafka")).length, 1);
      await eventuallyHolds(async () => assert.equal(await service.readiness(), "200 ok"), WAIT_MS);

      const probe = await consume(bus, "filter");
      await bus.publish(message("filter", 0));
      await probe.received(1, WAIT_MS);
      await broker.kill();
      const acked = probe.deliveries[0]?.ack();
      await eventually("that it is not ready", () => !bus.ready(), WAIT_MS);
      await assert.rejects(bus.publish(message("filter", 1)), Retry);
      await eventuallyHolds(async () => assert.equal(await service.readiness(), "503 the bus is away"), WAIT_MS);
      await broker.start();
      await acked;
      await eventually("that it is ready", () => bus.ready(), WAIT_MS);
      await eventually("an empty queue", async () => (await bus.lag("filter").catch(() => -1)) === 0, WAIT_MS);
      assert.equal(probe.deliveries.length, 1, "what was held has not been delivered again");
      await eventuallyHolds(async () => assert.equal(await service.readiness(), "200 ok"), WAIT_MS);
    } finally {
      await service.child.stop();
    }
    await assert.rejects(service.child.ended, /exit code 0/);
  });

  /** A service as a process of its own. */
  async function startRasterizer() {
    const port = await freePort();
    const child = startChild({
      name: "maskline rasterizer",
      script: new URL("../../services/main.js", import.meta.url),
      args: ["rasterizer"],
      env: {
        PATH: process.env.PATH,
        BUS: "kafka",
        KAFKA_BROKERS: broker.address,
        KAFKA_PARTITIONS: "2",
        DATA_DIR: folder,
        HEALTH_PORT: String(port),
        CONCURRENCY: "1",
        LOGLEVEL: "warn",
      },
    });
    const readiness = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(5_000) });
      return `${response.status} ${(await response.text()).trim()}`;
    };
    return { child, readiness };
  }
});
