import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pipeline } from "../../proto/pipeline.js";
import { kafkaKeys } from "../../services/runtime/bus/kafka/keys.js";
import { groupOf, topicName } from "../../services/runtime/bus/kafka/names.js";
import { natsKeys } from "../../services/runtime/bus/nats/keys.js";
import { durableName, firstWord, streamName } from "../../services/runtime/bus/nats/names.js";
import { readRendered, renderings } from "../helm/chart-files.js";
import { projectRoot } from "../project-root.js";
import { FIGURES } from "./figures.js";
import { sessionInputs } from "./inputs.js";
import { readScaledObject } from "./scaled-objects.js";
import { courseOf, outcomeOf, scalingPicture } from "./scaling-picture.js";
import { rateOf, SCALED } from "./session-model.js";

const page = readFileSync(join(projectRoot, "docs/scaling.md"), "utf8");

describe("docs/scaling.md", () => {
  it("has the table that the simulation gives (npm run scaling)", () => {
    const rows = Array.from(page.matchAll(/^\| ([\d.]+) \| ([\d.]+) min, (\d+)[^|]*\| ([\d.]+) min, (\d+)/gm), (match) => match.slice(1));
    assert.equal(rows.length, 6);
    for (const [ms, ...cells] of rows) {
      const simulated = [{}, { window: 2_048, max: 64 }].map((asked) =>
        outcomeOf(courseOf(sessionInputs({ ...asked, maskMs: Number(ms) }))),
      );
      assert.deepEqual(
        cells,
        simulated.flatMap(({ minutes, rasterizers }) => [minutes, String(rasterizers)]),
        `${ms} ms`,
      );
    }
  });

  it("has the picture that the simulation draws (npm run scaling -- --chart docs/scaling.svg)", () => {
    assert.equal(readFileSync(join(projectRoot, "docs/scaling.svg"), "utf8"), scalingPicture({}));
  });

  it("tells what pods that go sooner would cost", () => {
    const inputs = sessionInputs({});
    const scaleDown = { stabilizationWindowSeconds: 120, policies: [{ type: "Percent", value: 50, periodSeconds: 60 }] } as const;
    const { filter, rasterizer } = inputs.scaling;
    const hasty = courseOf({ ...inputs, scaling: { filter: { ...filter, scaleDown }, rasterizer: { ...rasterizer, scaleDown } } });
    const [seconds = 0, usual = 1] = [hasty.finishedAt, courseOf(inputs).finishedAt];
    const grown = hasty.samples.filter(({ second }) => second > 60 && second < seconds).map(({ replicas }) => replicas.rasterizer);
    const [, least, most, percent] = /swings between (\d+) and (\d+) of them, and takes (\d+) % longer/.exec(page) ?? [];
    assert.deepEqual([least, most, percent].map(Number), [Math.min(...grown), Math.max(...grown), Math.round((seconds / usual - 1) * 100)]);
  });

  it("speaks of the settings that the chart has", () => {
    const { window, scaling, work } = sessionInputs({});
    assert.match(page, new RegExp(`\\(\`sessionWindow\`\\) \\| ${window} \\|`));
    assert.match(page, new RegExp(`lagThreshold\`\\) \\| ${scaling.rasterizer.lagThreshold} \\|`));
    const { rasterizer } = work;
    assert.match(page, new RegExp(`in a rasterizer, with taking and publishing it \\| ${rasterizer.milliseconds} ms \\(\\*measured`));
    assert.match(page, new RegExp(`masks that a pod makes in a second \\| ${Math.round(rateOf(rasterizer) / 100) * 100} \\|`));
    assert.match(page, new RegExp(`publishes in a second \\| ${FIGURES.gatewayPerSecond.toLocaleString("en")} `));
    assert.match(page, new RegExp(`rasterizer.concurrency\`\\), each on a core \\| ${work.rasterizer.concurrency} \\|`));
  });
});

const QUEUES = { filter: pipeline.assetExported.queue(), rasterizer: pipeline.maskRequested.queue() } as const;

describe("rendered ScaledObjects", () => {
  it("ask NATS for the streams and consumers that the services make", () => {
    for (const role of SCALED) {
      const [{ metadata }] = readScaledObject("hardened", role).triggers;
      const prefix = natsKeys.natsPrefix.fallback ?? "";
      assert.equal(metadata.stream, streamName(prefix, firstWord(QUEUES[role])));
      assert.equal(metadata.consumer, durableName(QUEUES[role]));
    }
  });

  it("ask Kafka for the topics and groups that the services make, in words that every broker since 2.1 understands", () => {
    for (const role of SCALED) {
      const [{ metadata }] = readScaledObject("kafka", role).triggers;
      const topic = topicName(kafkaKeys.kafkaPrefix.fallback ?? "", QUEUES[role]);
      assert.equal(metadata.topic, topic);
      assert.equal(metadata.consumerGroup, groupOf(topic));
      assert.equal(metadata.version, "2.1.0");
    }
  });

  const withKeda = renderings.filter((name) => readRendered(name).some(({ kind }) => kind === "ScaledObject"));

  it("are there for filters and rasterizers, on NATS and on Kafka, with thresholds well below the window", () => {
    const types = new Set<string>();
    for (const name of withKeda) {
      const gateway = JSON.stringify(
        readRendered(name).find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name.includes("gateway")),
      );
      const window = Number(/"SESSION_WINDOW","value":"(\d+)"/.exec(gateway)?.[1]);
      for (const role of SCALED) {
        const [{ type, metadata }] = readScaledObject(name, role).triggers;
        types.add(type);
        assert.ok(Number(metadata.lagThreshold) * 2 <= window, `${role} of ${name}`);
      }
    }
    assert.deepEqual(types, new Set(["nats-jetstream", "kafka"]));
  });
});
