import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { Kafka, logLevel } from "kafkajs";
import { findKafka, type KafkaBroker, startKafka } from "../brokers/kafka.js";
import { findNats } from "../brokers/nats.js";
import { skipReason } from "../brokers/required.js";
import { readScaledObject } from "../scaling/scaled-objects.js";
import { SCALED } from "../scaling/session-model.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { readRendered } from "./chart-files.js";
import { type ClusterOptions, type LocalCluster, MASKLINE, repositoryOf, SIMULATOR, startCluster } from "./local-cluster.js";

const READY_MS = 60_000;
const IMAGES = { maskline: MASKLINE, "maskline-simulator": SIMULATOR };

/** A session, and another one after a rolling update; `more` is tested in between. */
function runs(start: () => Promise<ClusterOptions>, more: (cluster: () => LocalCluster) => void): void {
  let cluster: LocalCluster;
  before(async () => {
    cluster = await startCluster(await start());
  });
  after(() => cluster?.close());

  const everything = () => cluster.pods.map(({ name }) => `${name}:\n${cluster.saidBy(name).slice(-2_000)}`).join("\n\n");
  const becomesReady = () =>
    eventuallyHolds(async () => {
      const { code, output } = await cluster.runTest("maskline-test-ready");
      assert.equal(code, 0, `${output}\n${everything()}`);
    }, READY_MS);
  const runsSession = async () => {
    const { code, output } = await cluster.runTest("maskline-test-session");
    assert.equal(code, 0, `${output}\n${everything()}`);
    assert.match(output, /Done in .* masks for \d+ of 60 assets.*\nThe session ended with a zip of \d{6} bytes/s);
  };

  it("becomes ready, as its own test says", becomesReady);
  it("runs a session, as its own test says", runsSession);
  it("lists its sessions to an operator in the gateway's pod", async () => {
    const listed = JSON.parse(await cluster.maskline("maskline-gateway-simulator-0", ["sessions", "--all", "--json"]));
    assert.deepEqual(
      listed.sessions.map(({ result }: { result: string }) => result),
      ["archive"],
    );
  });
  it("shows its figures where the ServiceMonitor looks for them", async () => {
    for (const { name } of cluster.pods.filter(({ labels }) => labels["maskline/scraped"] === "true")) {
      const answer = await fetch(`http://${cluster.addressOf(name, "health")}/metrics`);
      assert.equal(answer.status, 200, name);
      assert.match(await answer.text(), /^# TYPE maskline_/m, name);
    }
  });
  more(() => cluster);
  it("goes on after a rolling update of every service", async () => {
    const services = cluster.pods.filter(({ container }) => repositoryOf(container.image) === "maskline");
    for (const { name } of services) await cluster.restart(name);
    await becomesReady();
    await runsSession();
  });
}

const nats = findNats();

/** Older servers than the chart's image do not know all of its configuration. */
function natsSkip(): string | false {
  if ("skip" in nats) return nats.skip;
  const version = /v(\d+)\.(\d+)/.exec(spawnSync(nats.program, ["--version"], { encoding: "utf8" }).stdout);
  const isOld = Number(version?.[1]) < 2 || (version?.[1] === "2" && Number(version[2]) < 10);
  return isOld && skipReason("nats", `${nats.program} is older than 2.10`);
}

describe("what the chart renders with its own NATS", { skip: natsSkip() }, () => {
  const program = "program" in nats ? nats.program : "";
  const start = async () => ({ manifests: readRendered("simulator"), images: { ...IMAGES, nats: [program] } });

  runs(start, (cluster) => {
    it("has the streams and consumers that the autoscalers ask for", async () => {
      const monitor = cluster().addressOf("maskline-nats-0", "monitor");
      for (const role of SCALED) {
        const [{ metadata }] = readScaledObject("hardened", role).triggers;
        // What KEDA asks: https://keda.sh/docs/latest/scalers/nats-jetstream/
        const answer = await fetch(`http://${monitor}/jsz?acc=${metadata.account}&consumers=true&config=true`);
        const { account_details: accounts } = (await answer.json()) as { account_details: { stream_detail: StreamDetail[] }[] };
        const stream = accounts.flatMap(({ stream_detail: streams }) => streams).find(({ name }) => name === metadata.stream);
        assert.ok(stream, `no stream ${metadata.stream}`);
        const consumers = stream.consumer_detail.map(({ name }) => name);
        assert.ok(consumers.includes(metadata.consumer ?? ""), `no consumer ${metadata.consumer}`);
      }
    });
  });
});

const kafka = findKafka();

describe("what the chart renders on a Kafka of one's own", { skip: "skip" in kafka && kafka.skip }, () => {
  let broker: KafkaBroker | undefined;
  const start = async () => {
    broker = await startKafka("jars" in kafka ? kafka.jars : "");
    return { manifests: readRendered("simulator-kafka"), images: IMAGES, outside: { "kafka.messaging:9092": broker.address } };
  };

  runs(start, () => {
    it("has the topics and consumer groups that the autoscalers ask for, with offsets that they can read", async () => {
      const admin = new Kafka({ brokers: [broker?.address ?? ""], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        for (const role of SCALED) {
          const [{ metadata }] = readScaledObject("kafka", role).triggers;
          const [committed] = await admin.fetchOffsets({ groupId: metadata.consumerGroup ?? "", topics: [metadata.topic ?? ""] });
          assert.equal(committed?.partitions.length, 4, metadata.topic);
          const done = committed.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
          assert.ok(done >= 50, `${metadata.consumerGroup} has committed ${done} messages of ${metadata.topic}`);
        }
      } finally {
        await admin.disconnect();
      }
    });
  });
  // After the services have ended, as hooks run in order.
  after(() => broker?.close());
});

interface StreamDetail {
  readonly name: string;
  readonly consumer_detail: readonly { readonly name: string }[];
}
