import assert from "node:assert/strict";
import { test } from "node:test";
import { wantedFrom } from "./start.js";

const OTLP = "http://127.0.0.1:4318";

for (const [what, env, traces, metrics] of [
  ["without a variable, nothing", {}, false, false],
  ["with an endpoint for all, both", { OTEL_EXPORTER_OTLP_ENDPOINT: OTLP }, true, true],
  ["with one for traces, traces", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: OTLP }, true, false],
  ["with one for metrics, metrics", { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: OTLP }, false, true],
  ["an empty one is none", { OTEL_EXPORTER_OTLP_ENDPOINT: " " }, false, false],
  ["other variables alone turn nothing on", { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }, false, false],
  ["disabled, nothing", { OTEL_EXPORTER_OTLP_ENDPOINT: OTLP, OTEL_SDK_DISABLED: "true" }, false, false],
  ["not disabled by another word", { OTEL_EXPORTER_OTLP_ENDPOINT: OTLP, OTEL_SDK_DISABLED: "no" }, true, true],
] as const) {
  test(`what is exported: ${what}`, () => assert.deepEqual(wantedFrom(env), { traces, metrics }));
}
