import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRequired, skipReason } from "../brokers/required.js";
import { projectRoot } from "../project-root.js";
import { chartFolder } from "./chart-files.js";

const { stdout: found } = spawnSync(
  process.execPath,
  [join(projectRoot, "deploy/helm/get-tools.mjs"), ...(isRequired("helm") ? [] : ["--find"])],
  {
    encoding: "utf8",
  },
);
const helm = found.split("\n").find((file) => /helm$/.test(file));

/** What Helm says to the values, given in its own words (`a.b=c`) over those of a right installation. */
function refusal(values: readonly string[]): string {
  const settings = [...values, "hub.host=https://hub.example.com"].map((value) => `--set=${value}`);
  const { status, stderr } = spawnSync(helm ?? "helm", ["template", "maskline", chartFolder, ...settings], { encoding: "utf8" });
  assert.notEqual(status, 0, `${values.join(" ")} is let through`);
  return stderr;
}

const RIGHT = ["plugins[0].name=masks", "plugins[0].id=a1", "plugins[0].secret=s", "blobs.s3.bucket=b"];

describe("wrong values of the chart", {
  skip: helm === undefined && skipReason("helm", "node deploy/helm/get-tools.mjs builds it with Go"),
}, () => {
  for (const [mistake, values, expected] of [
    ["a bus that there is none of", ["bus=rabbit"], /at '\/bus': value must be one of 'nats', 'kafka'/],
    [
      "a variable that no service reads",
      ["gateway.config.SESION_WINDOW=1"],
      /at '\/gateway\/config': additional properties 'SESION_WINDOW' not allowed/,
    ],
    ["a variable that the chart sets itself", ["config.DATA_DIR=/x"], /at '\/config': additional properties 'DATA_DIR' not allowed/],
    [
      "a secret among the plain settings",
      ["gateway.config.STATE_KEY=x"],
      /at '\/gateway\/config': additional properties 'STATE_KEY' not allowed/,
    ],
    ["a value that there is none of", ["rasteriser.replicas=3"], /additional properties 'rasteriser' not allowed/],
    ["a number below what is possible", ["packager.replicas=0"], /at '\/packager\/replicas': minimum: got 0, want 1/],
    ["a plugin's name that no pod can have", ["plugins[0].name=Big Masks"], /at '\/plugins\/0\/name': 'Big Masks' does not match pattern/],
    ["a reference to a Secret without its key", ["grpc.existingSecret.name=x"], /at '\/grpc\/existingSecret': missing property 'key'/],
    [
      "an address of NATS with a password in it",
      ["nats.enabled=false", "nats.url=nats://u:p@host:4222"],
      /at '\/nats\/url': .* does not match/,
    ],
    ["a tag that moves", ["image.tag=latest"], /maskline: the tag latest is another image tomorrow/],
    ["a Kafka nobody named", ["bus=kafka"], /kafka\.brokers is empty, and bus is kafka/],
    ["two places for payloads", ["blobs.volume.enabled=true"], /blobs\.s3\.bucket and blobs\.volume\.enabled are both set/],
    ["a plugin without a secret", ["plugins[0].secret="], /plugins: masks has no secret: set secret, or existingSecret/],
    [
      "a threshold that one session never passes",
      ["autoscaling.engine=keda", "autoscaling.rasterizer.lagThreshold=300"],
      /autoscaling\.rasterizer\.lagThreshold is 300: with a sessionWindow of 512/,
    ],
    [
      "more pods than Kafka has partitions",
      ["bus=kafka", "kafka.brokers=k:9092", "networkPolicy.enabled=false", "autoscaling.rasterizer.maxReplicas=17"],
      /autoscaling\.rasterizer\.maxReplicas is 17, and kafka\.partitions 16/,
    ],
    [
      "two gateways of one plugin",
      ["plugins[1].name=again", "plugins[1].id=a1", "plugins[1].secret=s"],
      /plugins: again has the id of another one/,
    ],
    [
      "a gateway's name for several of them",
      ["gateway.config.GATEWAY_ID=g"],
      /at '\/gateway\/config': additional properties 'GATEWAY_ID' not allowed/,
    ],
    [
      "one packager's name for several",
      ["packager.replicas=2", "packager.config.PACKAGER_ID=p"],
      /packager\.config\.PACKAGER_ID names one packager, and packager\.replicas is more than 1/,
    ],
    [
      "a collector that no policy knows of",
      ["config.OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318"],
      /config\.OTEL_EXPORTER_OTLP_ENDPOINT is the chart's to set, from telemetry\.otlpEndpoint/,
    ],
    [
      "servers of one's own behind closed doors",
      ["nats.enabled=false", "nats.url=nats://host:4222"],
      /networkPolicy\.bus is empty: name the peers of your NATS or Kafka/,
    ],
  ] as const) {
    it(`are refused with the reason: ${mistake}`, () => {
      assert.match(refusal([...RIGHT, ...values]), expected);
    });
  }

  it("are told all at once", () => {
    const said = refusal([]);
    assert.match(said, /the values have 2 mistakes:/);
    assert.match(said, /- plugins is empty/);
    assert.match(said, /- blobs: large payloads need a place/);
  });
});
